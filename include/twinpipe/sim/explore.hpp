// Runs a scenario again and again, each time with other choices, until one fails.
//
// In a test:
//   TEST_CASE("…") {
//     tp::sim::explore({.runs = 2000}, [](tp::sim::world& world) {
//       const auto alice = world.user("alice");
//       world.process("server", alice, serve);
//       world.process("client", alice, ask);
//     });
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/sim/world.hpp"
#include "twinpipe/time.hpp"

namespace tp::sim {

/// Says which runs are the same in another version of the library: a schedule of another format means
/// nothing.
inline constexpr unsigned schedule_format = 3;

/// Fills a world with users, files and programs. It must do the same in every run.
using scenario = std::function<void(world&)>;

/// How choices are made.
enum class strategy : std::uint8_t {
  random,      ///< every alternative alike, by a seed
  exhaustive,  ///< all of them, one after the other, up to a number of preemptions
};

/// For a world of one's own, see world::answer_with: the choices of the run with that seed.
[[nodiscard]] std::unique_ptr<answerer> random_choices(std::uint64_t seed);

struct explore_options {
  sim::strategy strategy = strategy::random;
  /// At most so many. 0: no bound but the budget's, which random runs need then; exhaustive ones end by
  /// themselves.
  std::uint64_t runs = 1000;
  /// At most so long, of real time; 0: no bound.
  duration budget = {};
  /// The seed of the first run; the others follow.
  std::uint64_t first_seed = 1;
  /// Exhaustive: so many times per run a thread that could go on is made to wait for another.
  unsigned preemptions = 2;
  /// Threads of this program that explore by seeds, each its own worlds. 0: one per processor. The scenario
  /// is called by all, at the same time. An exhaustive search is one thread's.
  unsigned workers = 1;
  /// See world::short_io. A search of all schedules doesn't vary lengths.
  bool short_io = false;
  /// Each run twice, to see that it is the same.
  bool twice = false;
  /// Of one run; more of them is a failure.
  std::uint64_t most_steps = 1'000'000;
  /// Of real time: so long a run may make no step. Then a simulated thread really blocks, or computes for
  /// ever, and the program aborts with a report of which. 0: for ever.
  duration patience = std::chrono::seconds(10);
};

/// What an exploration without a failure has seen.
struct exploration {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  /// Every schedule there is, within the bound on preemptions.
  bool exhausted = false;
  unsigned preemptions = 0;
  double seconds = 0;
  /// Of all that happened in all runs. Equal for equal options on every system, compiler and build, as long
  /// as schedule_format is the same: if it isn't, the scenario depends on something outside its world.
  std::uint64_t hash = 0;
  sim::strategy strategy = strategy::random;
  /// It ended because its time was over.
  bool budget_ended = false;
  /// Runs in which a thread that never waited was made to let another go on, after 1,000 points at which that
  /// could have gone on: what else might have come there was not tried, also by a search that says
  /// `exhausted`.
  std::uint64_t forced = 0;

  /// "exhausted at 2 preemptions, 1741 schedules"; "not exhausted: 300 schedules of at most 2 preemptions,
  /// budget ended"; "2000 schedules".
  [[nodiscard]] std::string to_string() const;
};

/// A run that failed. what() says what failed and how to replay it.
class exploration_failed : public std::runtime_error {
 public:
  exploration_failed(const std::string& summary, std::string trace, std::string why, std::string schedule)
      : std::runtime_error(summary),
        trace_(std::move(trace)),
        why_(std::move(why)),
        schedule_(std::move(schedule)) {}
  /// What happened, the last of it, a line for each event.
  [[nodiscard]] const std::string& trace() const noexcept { return trace_; }
  /// What failed, in a sentence.
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  /// What replay() takes.
  [[nodiscard]] const std::string& schedule() const noexcept { return schedule_; }

 private:
  std::string trace_, why_, schedule_;
};

/// Throws exploration_failed for the first run that fails: a program that returned something else than 0 or
/// was left by an exception, threads that wait for each other, a run without end, something that was still
/// open at the end of its process, two runs of one schedule that differ. What failed, how to replay it and
/// the trace go to standard error first.
///
/// With TWINPIPE_REPLAY=SCHEDULE in the environment it makes that run only. Errors of its own:
/// std::invalid_argument for random runs without a bound.
exploration explore(const explore_options& options, const scenario& what);

/// One run, by the schedule that a report names, with all of its events printed. Throws like explore(), and
/// std::invalid_argument for what is no schedule of this format, or not one of this scenario. Of the options
/// most_steps, patience and short_io count.
void replay(std::string_view schedule, const scenario& what, const explore_options& options = {});

}  // namespace tp::sim
