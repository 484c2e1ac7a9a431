// A machine of a world.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "twinpipe/backend/process.hpp"

namespace tp {
class process;
}

namespace tp::sim {

class host;

/// A simulated user, who is known on one host only. One that is made of a number is the first who has it,
/// wherever it is asked for.
struct user_id {
  std::uint32_t uid = 0;
  std::uint32_t account = 0;  ///< which of its host's users, from 1; several may have uid 0
  const host* of = nullptr;
};

enum class privilege : std::uint8_t { none, superuser };
inline constexpr privilege privileged = privilege::superuser;

struct file_attributes {
  user_id owner = {};
  std::uint32_t group = 0;
  std::uint32_t mode = 0644;
  std::string contents = {};
};

/// What main() would run.
using program = std::function<int(tp::process&)>;

struct program_options {
  std::vector<std::string> arguments = {};
  /// Serves the others: the run needn't wait for its end, and it may wait for ever.
  bool background = false;
};

/// A process of a world with its program. It belongs to the world.
class hosted {
 public:
  virtual ~hosted() = default;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// What the program has returned; none while it runs, and of one that was killed.
  [[nodiscard]] virtual std::optional<int> result() const noexcept = 0;
  /// As kill -9 does; see world::kill.
  virtual void kill() = 0;
  /// Its threads don't go on until it is resumed, as after SIGSTOP; its connections and timers stay. Not by
  /// itself.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// The program once more, in a new process, after the end of the one before; std::logic_error while that
  /// runs.
  virtual void restart() = 0;
};

/// A machine: users, files, names and processes of its own. Hosts share the world's clock, its choices and
/// its faults, and nothing else: a name that is bound on one is not found on another, where the same one may
/// be bound, too. It belongs to the world.
///
/// Its functions throw std::invalid_argument, with what to do instead, for what a scenario can't mean: a user
/// of another host, a path that isn't absolute, a second program of one name.
class host {
 public:
  virtual ~host() = default;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// A new user: uids from 1000 up, 0 for each privileged one; its group has the number of its uid; `groups`
  /// are its supplementary ones. The name is for the reader.
  virtual user_id user(std::string name, privilege rights = privilege::none,
                       std::vector<std::uint32_t> groups = {}) = 0;
  /// A file; its directories appear with it, owned by root, mode 0755. Paths are like "/srv/data": absolute,
  /// without "." and "..", empty parts or a slash at the end.
  virtual void file(std::string path, file_attributes attributes) = 0;
  /// A directory; without the x bits of its mode nobody but root gets through it. At first there are / and
  /// /tmp, mode 1777. Names may be bound in directories that were never made; these count as root's, 0755.
  virtual void directory(std::string path, file_attributes attributes) = 0;
  /// A process that runs the program on a thread of its own, from the next world::run() on. Reports and rules
  /// for faults go by its name, so each program of a host has its own.
  virtual hosted& process(std::string name, user_id user, program main, program_options options = {}) = 0;
  /// A process of that user without a program, pids from 1000 up. Its destruction is its death. It must end
  /// before the world does.
  [[nodiscard]] virtual std::unique_ptr<backend::process> make_process(std::string name, user_id user) = 0;
  /// As a loss of power: all of its processes die, and none of them sees another's end. Files stay.
  virtual void crash() = 0;
  /// The programs that the last crash has ended, once more; see hosted::restart.
  virtual void restart() = 0;
};

}  // namespace tp::sim
