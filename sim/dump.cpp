// A world as it is at a moment, in lines for a reader: hosts, then processes and threads, then what is due.
#include <algorithm>
#include <utility>

#include "kernel.hpp"
#include "text.hpp"
#include "verdict.hpp"

namespace tp::sim {
namespace {

std::string in_octal(std::uint32_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) digits += static_cast<char>('0' + (mode >> shift & 7U));
  return digits;
}

std::string list_of(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (const std::uint32_t each : numbers) text += join(text.empty() ? "" : ", ", each);
  return text;
}

/// Of a file or directory: whoever it belongs to, root as long as nobody is called otherwise.
std::string owner_of(const machine& on, std::uint32_t uid) {
  const std::string known = on.user_name(uid);
  return uid == 0 && known == "uid 0" ? "root" : known;
}

std::string describe_files(const machine& on) {
  std::string text;
  for (const auto& [path, at] : on.files) {
    text += join(at.is_directory ? "  directory " : "  file ", path.empty() ? "/" : path, ", ",
                 owner_of(on, at.owner), "'s, group ", at.group, ", mode ", in_octal(at.mode));
    text += at.is_directory ? std::string("\n") : join(", ", at.contents.size(), " bytes\n");
  }
  return text;
}

std::string describe_names(const machine& on) {
  std::string text;
  for (const auto& [place, at] : on.names) text += join("  name ", place, ": ", describe_name(*at), '\n');
  for (const auto& [place, left] : on.left_sockets)
    text +=
        join("  socket ", place, ", left behind by a server of ", owner_of(on, left.owner.uid.value), '\n');
  return text;
}

/// What a process has open, a line each.
std::string holdings(const process_record& process) {
  std::string text;
  for (handle* const each : process.handles) {
    if (!each->open()) continue;
    text += join("    has ", each->describe());
    if (const unix_socket* const at = each->socket(); at != nullptr && at->inq() > 0)
      text += join(", with ", at->inq(), " bytes to read");
    if (const std::string pending = each->describe_pending(); !pending.empty())
      text += join(", where it waits ", pending);
    text += '\n';
  }
  return text;
}

std::string acts_as(const machine& on, const identity* whom) {
  return whom == nullptr ? "" : ", acts as " + on.user_name(whom->uid.value);
}

std::string describe_process(const world::state& world, const process_record& process) {
  const auto is_its_own = [&](const auto& each) { return &record_of(each->twin()) == &process; };
  const bool hosted = std::ranges::any_of(world.programs, is_its_own);
  std::string text =
      join("  process ", process.name, " (", process.on.user_name(process.self.uid.value), ')',
           hosted ? "" : ", without a program", process.background ? ", in the background" : "",
           process.paused ? ", paused" : "", acts_as(process.on, process.outside_acts_as.get()), '\n');
  for (const auto& each : world.time.threads()) {
    if (each->process != &process) continue;
    text += join("    thread ", world.label(each->number), ' ', describe_wait(world, *each),
                 acts_as(process.on, each->acts_as.get()), '\n');
  }
  return text + holdings(process);
}

std::string describe_host(const world::state& world, const machine& on) {
  std::string text = join("host ", on.name().empty() ? "(the world's own)" : on.name(), '\n');
  text += on.describe_users() + describe_files(on) + describe_names(on);
  for (const process_record* const each : on.alive) text += describe_process(world, *each);
  return text;
}

std::string describe_timers(const world::state& world) {
  std::string text;
  world.time.visit_timers([&](time_point when, const thread* who, const backend::op* what) {
    text += join("due at ", in_seconds(when.time_since_epoch()), ": ");
    if (who != nullptr) {
      text += world.label(who->number) + '\n';
    } else {
      const auto& at = *static_cast<const handle*>(what->twin.owner);
      text += join("to ", name_of(static_cast<kind>(what->twin.kind)), " at ", at.describe(), " of ",
                   at.process().name, '\n');
    }
  });
  return text;
}

}  // namespace

std::string machine::describe_users() const {
  std::string text;
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const known_user& user = users_[i];
    text += join("  user ", user.name, ", uid ", user.uid, user.uid == 0 ? ", privileged" : "",
                 user.groups.empty() ? "" : ", also in group ", list_of(user.groups), '\n');
  }
  return text;
}

std::string describe(const world::state& world) {
  std::string text = join("time ", in_seconds(world.time.now().time_since_epoch()), ", after ",
                          world.time.steps(), " steps\n");
  text += describe_host(world, world.local);
  for (const auto& each : world.others) text += describe_host(world, *each);
  for (const auto& each : world.programs) {
    text += join("program ", each->name(), ": ",
                 each->running()              ? "runs"
                 : each->result().has_value() ? join("returned ", *each->result())
                                              : "was killed",
                 '\n');
  }
  return text + describe_timers(world) + (world.failure.empty() ? "" : join("failed: ", world.failure, '\n'));
}

}  // namespace tp::sim
