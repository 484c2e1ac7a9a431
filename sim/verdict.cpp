// Deadlocks, with who waits for what.
#include "verdict.hpp"

#include <algorithm>
#include <set>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

std::string name_of(const world::state& world, const thread& who) {
  return world.label(who.number);
}

/// Who could end its wait, as far as the world can tell.
const thread* awaited_thread(const thread& who) {
  if (who.waits == wait::mutex) return *static_cast<const thread* const*>(who.awaited);
  if (who.waits == wait::thread_end) return static_cast<const thread*>(who.awaited);
  return nullptr;
}

std::string pending_at(const thread& who) {
  std::string text;
  for (const handle* const each : who.process->handles) {
    if (each->system() != who.awaited) continue;
    const std::string pending = each->describe_pending();
    if (!pending.empty()) text += join(text.empty() ? "" : "; ", pending, " at ", each->describe());
  }
  return text.empty() ? "nothing is pending there" : text;
}

std::string waits_for(const world::state& world, const thread& who) {
  const auto at = [&] { return static_cast<const handle*>(who.awaited)->describe(); };
  switch (who.waits) {
    case wait::turn:
      return "for its runtime: " + pending_at(who);
    case wait::mutex:
      if (awaited_thread(who) == nullptr) return "for a mutex that has just been let go";
      return "for a mutex that " + name_of(world, *awaited_thread(who)) + " holds";
    case wait::thread_end:
      return "for the end of " + name_of(world, *awaited_thread(who));
    case wait::condition:
      return "for a condition that nobody notifies";
    case wait::event:
      return "for an event that nobody sets";
    case wait::interrupt:
      return "to be interrupted";
    case wait::data:
      return "to read at " + at();
    case wait::room:
      return "to write at " + at();
    case wait::readiness:
      return "for " + at();
    case wait::drained:
      return "to drain at " + at();
    case wait::world_end:
      return "for the end of the run";
    case wait::process_end:
      return "for the end of a process that it has killed";
    case wait::time:
      return "for its time to come";
    default:
      return "for something else";
  }
}

/// "server/main (alice) waits to be interrupted".
std::string state_of(const world::state& world, const thread& who) {
  return name_of(world, who) + ' ' + describe_wait(world, who);
}

/// Whom the others may be waiting for.
std::string paused_ones(const world::state& world) {
  std::string text;
  std::set<const process_record*> told;
  for (const auto& each : world.time.threads()) {
    if (!each->process->paused || !told.insert(each->process).second) continue;
    text += join("  ", each->process->name, " is paused, and nobody lets it go on: see hosted::resume\n");
  }
  return text;
}

/// Serves, or waits for one who does.
bool may_wait(const thread& who, const std::set<const thread*>& idle) {
  if (who.process->background) return true;
  if (who.waits == wait::thread_end) return idle.contains(awaited_thread(who));
  if (who.waits != wait::turn) return false;
  bool accepts = false;
  for (const handle* const each : who.process->handles) {
    if (each->system() != who.awaited) continue;
    if (!each->waits_for_clients_only()) return false;
    accepts = accepts || !each->describe_pending().empty();
  }
  return accepts;
}

/// "a waits for b, b waits for a", or empty.
std::string find_cycle(const world::state& world, const thread& from) {
  std::vector<const thread*> path;
  for (const thread* at = &from; at != nullptr; at = awaited_thread(*at)) {
    const auto seen = std::ranges::find(path, at);
    if (seen != path.end()) {
      std::string text = "  a cycle: ";
      for (auto each = seen; each != path.end(); ++each) text += name_of(world, **each) + " -> ";
      return text + name_of(world, *at) + "\n";
    }
    path.push_back(at);
  }
  return {};
}

}  // namespace

std::string find_deadlock(const world::state& world) {
  std::set<const thread*> idle;
  for (std::size_t before = SIZE_MAX; before != idle.size();) {
    before = idle.size();
    for (const auto& each : world.time.threads()) {
      if (may_wait(*each, idle)) idle.insert(each.get());
    }
  }
  std::string text, cycle;
  for (const auto& each : world.time.threads()) {
    if (idle.contains(each.get())) continue;
    text += join("  ", state_of(world, *each), '\n');
    if (cycle.empty()) cycle = find_cycle(world, *each);
  }
  return text.empty() ? text : "deadlock, nobody can go on:\n" + text + paused_ones(world) + cycle;
}

std::string find_lock_cycle(const world::state& world) {
  for (const auto& each : world.time.threads()) {
    if (each->waits != wait::mutex) continue;
    if (std::string cycle = find_cycle(world, *each); !cycle.empty()) return cycle;
  }
  return {};
}

void refuse_endless(const world::state& world, std::string_view call) {
  std::string text =
      join(call, " outside a world's threads would never end, for ",
           world.failure.empty() ? "nobody can go on:" : "the run has failed: ", world.failure);
  for (const auto& each : world.time.threads()) text += "\n  " + state_of(world, *each);
  if (world.time.how_to_replay) text += join('\n', world.time.how_to_replay());
  while (text.ends_with('\n')) text.pop_back();
  detail::fatal(text);
}

void check_accounts(world::state& world) {
  for (const auto& each : world.programs) {
    for (handle* const one : record_of(each->twin()).handles) {
      if (const unix_socket* const at = one->socket()) check_account(world, *at, one->number(), false);
    }
  }
}

std::string describe_wait(const world::state& world, const thread& who) {
  if (who.waits == wait::nothing)
    return who.process->paused ? "could go on, but its process is paused" : "can go on";
  const std::string lost = who.overtaken == 0 ? "" : join(", and found it taken ", who.overtaken, " times");
  return join("waits ", waits_for(world, who), ", since ", in_seconds(who.since.time_since_epoch()), lost);
}

}  // namespace tp::sim
