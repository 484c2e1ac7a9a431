// A world in memory: users, files and processes of the simulated twin.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend/process.hpp"
#include "twinpipe/sim/choice.hpp"
#include "twinpipe/sim/fault.hpp"
#include "twinpipe/time.hpp"

namespace tp {
class process;
}

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

/// How a run ended.
enum class run_end : std::uint8_t {
  finished,  ///< every program has ended that isn't in the background
  stalled,   ///< nobody can ever go on
  failed,    ///< see world::failure
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
  /// The program once more, in a new process, after the end of the one before.
  virtual void restart() = 0;
};

/// Processes, users and files in memory, under one virtual clock. Threads of processes go on one at a time;
/// which one, and everything else that a real system leaves open, is a choice, and the same choices make the
/// same run. Without an answerer every choice is the first alternative: threads go on until they wait, what
/// is ready first comes first. Time passes only when no thread can go on, and jumps then.
///
/// The world, and all of its processes, belong to the thread of the program that made it. A process may also
/// be used from outside, by that thread itself: a turn of a system that was made so moves the whole world.
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
  /// A process that runs the program on a thread of its own, from the next run() on.
  hosted& process(std::string name, user_id user, program main, program_options options = {});
  /// Until every program has ended that isn't in the background, or no thread can go on, or something failed.
  run_end run();
  /// What failed, in a sentence; empty: nothing.
  [[nodiscard]] const std::string& failure() const noexcept;
  /// All that can be seen of the world: its processes, threads and what they wait for, names and connections.
  [[nodiscard]] std::string dump() const;
  /// What has happened last, one line each: time, thread, event.
  [[nodiscard]] std::string recent_events() const;

  /// A number below `bound`, for scenarios and programs that vary what they do: the moment of a kill, the
  /// size of a message. A choice like any other, so it is explored and replayed; 0 without an answerer.
  [[nodiscard]] std::uint32_t choose(std::uint32_t bound);

  /// Asked about every act of every process from now on. Without rules nothing ever fails by itself.
  void add_faults(fault_rule rule);

  /// From now on reads may take fewer bytes than there are, and writes be accepted in parts: all, one, or any
  /// number, by choice. Without an answerer nothing changes.
  void short_io(bool allowed = true);

  /// So many choices and operations from now on, then it fails.
  void allow_steps(std::uint64_t most);
  [[nodiscard]] std::uint64_t steps() const noexcept;
  /// Who answers from now on; null: the first alternative, always. It must outlive the world.
  void answer_with(answerer* who);
  /// Of everything that has happened so far.
  [[nodiscard]] std::uint64_t hash() const noexcept;
  /// Threads that have not ended.
  [[nodiscard]] std::size_t threads() const noexcept;

  /// A process of that user without a program, pids from 1000 up. Its destruction is its death. It must end
  /// before the world does.
  [[nodiscard]] std::unique_ptr<backend::process> make_process(std::string name, user_id user);
  /// As kill -9 does, at any moment, also in a completion: others find its connections ended or reset. The
  /// object lives on, and all that was made of it answers process_killed; see backend::process. Its threads
  /// end before kill returns, but for the calling one. A process that isn't simulated aborts the program;
  /// twice is once.
  void kill(backend::process& victim);

  [[nodiscard]] time_point now() const noexcept;
  /// What processes have logged, each line behind its process's name.
  [[nodiscard]] const std::vector<std::string>& trace() const noexcept;

  struct state;

 private:
  friend struct one_run;
  explicit world(std::size_t kept_events);
  std::shared_ptr<state> state_;
};

}  // namespace tp::sim
