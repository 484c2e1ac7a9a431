// What is said of a run that doesn't end: where its steps go, and who waits meanwhile.
#include "step_watch.hpp"

#include <algorithm>
#include <numeric>

#include "kernel.hpp"
#include "text.hpp"
#include "verdict.hpp"

namespace tp::sim {

step_watch::progress::progress(const world::state& world)
    : now(world.time.now()),
      handles(world.handles),
      threads(static_cast<std::uint32_t>(world.known_threads.size())) {
  const auto add = [&](const machine& on) {
    for (const process_record* const process : on.alive) {
      for (handle* const each : process->handles) {
        if (const unix_socket* const at = each->socket()) bytes += at->account.delivered;
      }
    }
  };
  add(world.local);
  for (const auto& each : world.others) add(*each);
}

step_watch::step_watch(const world::state& world, std::uint64_t steps)
    : world_(world), before_(steps), begun_with_(world) {}

std::string step_watch::report() const {
  const std::uint64_t watched = std::accumulate(made_.begin(), made_.end(), std::uint64_t{0});
  return join("no end after ", before_ + watched,
              " steps, as many as were allowed: some thread goes round for ever", describe_progress(watched),
              describe_threads(watched));
}

std::string step_watch::describe_progress(std::uint64_t watched) const {
  const progress now(world_);
  if (now == begun_with_) return join(", for nothing has come of the last ", watched, '\n');
  std::string text = join(", or the run is only long. In the last ", watched, " steps ");
  if (now.now != begun_with_.now) text += in_seconds(now.now - begun_with_.now) + " passed, ";
  // Connections that have closed have taken their counts along.
  if (now.bytes > begun_with_.bytes) text += join(now.bytes - begun_with_.bytes, " bytes were read, ");
  return text + join(now.handles - begun_with_.handles, " objects were made and ",
                     now.threads - begun_with_.threads, " threads started\n");
}

std::string step_watch::describe_threads(std::uint64_t watched) const {
  const auto made_by = [&](std::uint32_t number) { return number < made_.size() ? made_[number] : 0; };
  std::vector<std::uint32_t> busy;
  for (std::uint32_t each = 0; each < made_.size(); ++each) {
    if (made_[each] > 0) busy.push_back(each);
  }
  std::ranges::sort(busy, [&](std::uint32_t a, std::uint32_t b) {
    return made_[a] != made_[b] ? made_[a] > made_[b] : a < b;
  });
  constexpr std::size_t enough = 10;
  std::string text;
  for (std::size_t i = 0; i < busy.size() && i < enough; ++i) {
    const std::uint64_t per_cent = made_by(busy[i]) * 100 / watched;
    text += join("  ", world_.label(busy[i]), " made ",
                 per_cent > 0 ? join(per_cent, " %") : std::string("less than 1 %"), " of them\n");
  }
  if (busy.size() > enough) text += join("  ", busy.size() - enough, " others made the rest\n");
  std::size_t left = enough;
  for (const auto& each : world_.time.threads()) {
    if (made_by(each->number) > 0) continue;
    if (left-- == 0) return text + "  and others made none\n";
    text += join("  ", world_.label(each->number), " made none: it ", describe_wait(world_, *each), '\n');
  }
  return text;
}

}  // namespace tp::sim
