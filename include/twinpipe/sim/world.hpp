// A world in memory: users, files and processes of the simulated twin.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend/process.hpp"
#include "twinpipe/time.hpp"

namespace tp::sim {

/// A simulated user, by number.
struct user_id {
  std::uint32_t uid = 0;
};

enum class privilege : std::uint8_t { none, superuser };
inline constexpr privilege privileged = privilege::superuser;

struct file_attributes {
  user_id owner;
  std::uint32_t group = 0;
  std::uint32_t mode = 0644;
  std::string contents = {};
};

/// One thread, one virtual clock, no choice: completions come first in, first out over all processes, and
/// time jumps to the next deadline when nothing is ready. A turn of any process's system therefore moves the
/// whole world.
class world {
 public:
  world();
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// A new user: uids from 1000 up, 0 for a privileged one; its group has the number of its uid; `groups` are
  /// its supplementary ones. The name is for the reader.
  user_id user(std::string name, privilege rights = privilege::none, std::vector<std::uint32_t> groups = {});
  /// A file; its directories appear with it, owned by root, mode 0755.
  void file(std::string path, file_attributes attributes);
  /// A directory; without the x bits of its mode nobody but root gets through it. At first there are / and
  /// /tmp, mode 1777. Names may be bound in directories that were never made; these count as root's, 0755.
  void directory(std::string path, file_attributes attributes);
  /// A process of that user, pids from 1000 up. Its destruction is its death. It must end before the world
  /// does.
  [[nodiscard]] std::unique_ptr<backend::process> make_process(std::string name, user_id user);
  /// As kill -9 does, at any moment, also in a completion: others find its connections ended or reset. The
  /// object lives on, and all that was made of it answers process_killed; see backend::process. Operations
  /// that are pending are forgotten, and the public interface can't let go of a coroutine that waits for one:
  /// so far a process may be killed only while no operation of the public interface is pending in it. A
  /// process that isn't simulated aborts the program; twice is once.
  void kill(backend::process& victim);

  [[nodiscard]] time_point now() const noexcept;
  /// What processes have logged, each line behind its process's name.
  [[nodiscard]] const std::vector<std::string>& trace() const noexcept;

  struct state;

 private:
  std::shared_ptr<state> state_;
};

}  // namespace tp::sim
