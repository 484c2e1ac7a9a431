// A world in memory: what the simulated twin has instead of machines, systems and time.
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
#include "twinpipe/sim/host.hpp"
#include "twinpipe/time.hpp"

namespace tp::sim {

/// How a run ended.
enum class run_end : std::uint8_t {
  finished,  ///< every program has ended that isn't in the background
  stalled,   ///< nobody can ever go on
  failed,    ///< see world::failure
};

/// Processes, users and files in memory, on one host or several, under one virtual clock. Threads of
/// processes go on one at a time; which one, and everything else that a real system leaves open, is a choice,
/// and the same choices make the same run. Without an answerer every choice is the first alternative: threads
/// go on until they wait, what is ready first comes first. Time passes only when no thread can go on, and
/// jumps then.
///
/// The world, and all of its processes, belong to the thread of the program that made it. A process may also
/// be used from outside, by that thread itself: a turn of a system that was made so moves the whole world.
class world {
 public:
  world();
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Another machine beside the one that every world has, which is what the following five functions are
  /// about; see there. Reports call its processes "HOST:NAME", and so do rules for faults.
  /// std::invalid_argument if there is a host of that name.
  host& add_host(std::string name);
  user_id user(std::string name, privilege rights = privilege::none, std::vector<std::uint32_t> groups = {});
  void file(std::string path, file_attributes attributes);
  void directory(std::string path, file_attributes attributes);
  hosted& process(std::string name, user_id user, program main, program_options options = {});
  [[nodiscard]] std::unique_ptr<backend::process> make_process(std::string name, user_id user);

  /// Until every program has ended that isn't in the background, or no thread can go on, or something failed.
  run_end run();
  /// What failed, in a sentence; empty: nothing.
  [[nodiscard]] const std::string& failure() const noexcept;
  /// All that can be seen of the world, in lines: of each host users, files, names and processes, with what
  /// these have open, what their threads wait for, and whom they act as; programs; what is due, and when.
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

  /// For so long, of real time, run(), or the world's end, may make no step; then a simulated thread really
  /// blocks, which stops the whole world, and the program aborts with a report of it. 0: for ever. At first
  /// 10 s; explore() has its own.
  void patience(duration of_real_time);
  /// So many operations of its threads from now on, then it fails.
  void allow_steps(std::uint64_t most);
  [[nodiscard]] std::uint64_t steps() const noexcept;
  /// Who answers from now on; null: the first alternative, always. It must outlive the world.
  void answer_with(answerer* who);
  /// Of everything that has happened so far.
  [[nodiscard]] std::uint64_t hash() const noexcept;
  /// Threads that have not ended.
  [[nodiscard]] std::size_t threads() const noexcept;

  /// As kill -9 does, at any moment, also in a completion: others find its connections ended or reset. The
  /// object lives on, and all that was made of it answers process_killed; see backend::process. Its threads
  /// end before kill returns, but for the calling one. A process that isn't simulated aborts the program;
  /// twice is once.
  void kill(backend::process& victim);

  [[nodiscard]] time_point now() const noexcept;
  /// What processes have logged, each line behind its process's name.
  [[nodiscard]] const std::vector<std::string>& trace() const;

  struct state;

 private:
  friend struct one_run;
  explicit world(std::size_t kept_events);
  std::shared_ptr<state> state_;
};

}  // namespace tp::sim
