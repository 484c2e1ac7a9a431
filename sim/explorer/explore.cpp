// Exploration: runs over seeds or over all schedules, and the report of the one that failed.
#include "twinpipe/sim/explore.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "explorer/answerers.hpp"
#include "explorer/last_words.hpp"
#include "explorer/one_run.hpp"
#include "explorer/watchdog.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

constexpr std::size_t few_events = 256, many_events = std::size_t{1} << 16U;
/// 400 MB, of which a run takes what it needs.
constexpr std::size_t most_events = std::size_t{1} << 24U;
constexpr std::size_t lines_of_report = 80;

struct failure {
  std::string why;
  schedule how;
};

std::unique_ptr<answerer> answers_of(const schedule& how) {
  if (how.seed) return std::make_unique<random_answerer>(*how.seed);
  return std::make_unique<written_answerer>(how.choices);
}

/// What a run without a trace tells. `why` is empty if it went well.
struct outcome {
  std::string why;
  std::uint64_t steps, hash, events;
  bool forced;
};

outcome run_once(const scenario& what, answerer& answers, const explore_options& options) {
  one_run run(what, answers, options.most_steps, few_events);
  return {std::move(run.why), run.steps, run.hash, run.events, run.forced};
}

/// Two runs of one schedule, compared event by event. `events`: so many were in one of them.
std::string why_differs(const scenario& what, const schedule& how, const explore_options& options,
                        std::size_t events) {
  const auto first = answers_of(how), second = answers_of(how);
  const std::size_t kept = std::clamp(std::bit_ceil(2 * events), many_events, most_events);
  const one_run one(what, *first, options.most_steps, kept), two(what, *second, options.most_steps, kept);
  return "two runs of one schedule differ, so the scenario depends on something outside its world: " +
         (one.hash != two.hash ? one.difference(two) : "but the next two did not, so nobody knows where");
}

[[noreturn]] void report(const scenario& what, const failure& failed, const explore_options& options,
                         std::string_view which) {
  const std::string how = failed.how.to_string();
  std::string why = failed.why;
  while (why.ends_with('\n')) why.pop_back();
  std::string summary = join("twinpipe: ", which, " failed: ", why, "\n  to replay it: TWINPIPE_REPLAY=", how,
                             " and this test again, or tp::sim::replay(\"", how, "\", scenario)");
  std::fputs(summary.c_str(), stderr);  // first: the run may abort when it is made again
  const auto answers = answers_of(failed.how);
  watchdog beside(options.patience);
  const watchdog::on_duty here(beside);
  const one_run again(what, *answers, options.most_steps, many_events);
  const std::string caveat =
      again.failed() ? "" : "\n  the same schedule did not fail again; the trace is that of the second run";
  std::string trace = again.trace(lines_of_report);
  std::fputs((caveat + "\n" + trace).c_str(), stderr);
  summary += caveat;
  throw exploration_failed(summary, std::move(trace), std::move(why), how);
}

/// The scenario itself says so then.
explore_options without_short_io(explore_options options) {
  options.short_io = false;
  return options;
}

scenario with_short_io(const scenario& what) {
  return [&what](world& made) {
    made.short_io();
    what(made);
  };
}

/// What the workers of one exploration share.
class search {
 public:
  search(const explore_options& options, const scenario& what) : options_(options), what_(what) {}

  void over_seeds() {
    const watchdog::on_duty here(watchdog_);
    schedule how;  // of the run that goes on
    const last_words spoken([&] { return how.to_string(); }, &how.seed);
    while (!done()) {
      const std::uint64_t number = next_++;
      if (options_.runs != 0 && number >= options_.runs) return;
      how.seed = options_.first_seed + number;
      random_answerer answers(*how.seed);
      run(number, [&] { return how; }, answers);
    }
  }

  void over_all() {
    const watchdog::on_duty here(watchdog_);
    exhaustive_answerer answers(options_.preemptions);
    const auto written = [&] { return schedule{.seed = {}, .choices = answers.given()}; };
    const last_words spoken([&] { return written().to_string(); });
    while (!done()) {
      if (options_.runs != 0 && next_ >= options_.runs) return;
      run(next_++, written, answers);
      if (failed_.load() || !answers.advance()) {
        exhausted_ = !failed_.load();
        return;
      }
    }
  }

  /// After the workers.
  exploration result() {
    if (failure_) report(what_, *failure_, options_, join("run ", failed_run_ + 1));
    return {.runs = runs_,
            .steps = steps_,
            .exhausted = exhausted_,
            .preemptions = options_.preemptions,
            .seconds = std::chrono::duration<double>(real_clock::now() - begun_).count(),
            .hash = hash_,
            .strategy = options_.strategy,
            .budget_ended = budget_ended_,
            .forced = forced_};
  }

 private:
  using real_clock = std::chrono::steady_clock;

  [[nodiscard]] bool done() {
    const bool all_begun = options_.runs != 0 && next_ >= options_.runs;
    if (!all_begun && options_.budget != duration{} && real_clock::now() - begun_ >= options_.budget)
      budget_ended_ = true;
    return failed_ || budget_ended_;
  }

  /// `written`: yields the run's schedule, afterwards.
  template <class Written>
  void run(std::uint64_t number, const Written& written, answerer& answers) {
    outcome seen = run_once(what_, answers, options_);
    if (seen.why.empty() && options_.twice) {
      const schedule same = written();
      outcome again = run_once(what_, *answers_of(same), options_);
      seen.steps += again.steps;
      seen.why = std::move(again.why);
      if (seen.why.empty() && again.hash != seen.hash)
        seen.why = why_differs(what_, same, options_, std::max(seen.events, again.events));
    }
    ++runs_;
    if (seen.forced) ++forced_;
    steps_ += seen.steps;
    hash_ += seen.hash;  // in no order, for workers have none
    if (seen.why.empty()) return;
    const std::lock_guard held(lock_);
    if (failure_ && failed_run_ < number) return;
    failure_ = failure{std::move(seen.why), written()};
    failed_run_ = number;
    failed_ = true;
  }

  const explore_options& options_;
  const scenario& what_;
  const real_clock::time_point begun_ = real_clock::now();
  std::atomic<std::uint64_t> next_ = 0, runs_ = 0, steps_ = 0, hash_ = 0, forced_ = 0;
  std::atomic<bool> failed_ = false, budget_ended_ = false;
  bool exhausted_ = false;
  std::mutex lock_;
  std::optional<failure> failure_;  ///< guarded: that of the earliest run
  std::uint64_t failed_run_ = 0;
  watchdog watchdog_{options_.patience};
};

}  // namespace

std::string exploration::to_string() const {
  const auto count = [](std::uint64_t n, std::string_view what) { return join(n, what, n == 1 ? "" : "s"); };
  const std::string all = count(runs, " schedule");
  const std::string unseen =
      forced == 0 ? ""
                  : join("; in ", forced,
                         " a thread that never waited was made to, after 1000 points: other ways to ",
                         "go on from there were not tried");
  if (exhausted) return join("exhausted at ", count(preemptions, " preemption"), ", ", all, unseen);
  if (strategy == strategy::random) return all;
  return join("not exhausted: ", all, " of at most ", count(preemptions, " preemption"), ", ",
              budget_ended ? "budget" : "runs", " ended", unseen);
}

void replay(std::string_view written, const scenario& what, const explore_options& options) {
  if (options.short_io) return replay(written, with_short_io(what), without_short_io(options));
  const auto how = schedule::parse(written);
  if (!how) {
    throw std::invalid_argument(join('\'', written, "' is no schedule of format ", schedule_format,
                                     "; a report of this version of the library names one"));
  }
  const auto answers = answers_of(*how);
  const last_words spoken([&] { return std::string(written); }, &how->seed);
  watchdog beside(options.patience);
  const watchdog::on_duty here(beside);
  const one_run run(what, *answers, options.most_steps, many_events);
  if (const auto* const path = dynamic_cast<written_answerer*>(answers.get()); path && path->diverged()) {
    throw std::invalid_argument(join('\'', written,
                                     "' is the schedule of another scenario, or of one that has "
                                     "changed: it takes an alternative that isn't there"));
  }
  if (run.failed()) report(what, {run.why, *how}, options, "the replayed run");
  std::fputs(("twinpipe: the replayed run did not fail\n" + run.trace(many_events)).c_str(), stderr);
}

exploration explore(const explore_options& options, const scenario& what) {
  if (options.short_io) return explore(without_short_io(options), with_short_io(what));
  if (const char* const only = std::getenv("TWINPIPE_REPLAY"); only != nullptr && *only != '\0') {
    replay(only, what, options);
    return {.runs = 1};
  }
  if (options.runs == 0 && options.budget == duration{} && options.strategy == strategy::random)
    throw std::invalid_argument("an exploration by seeds has no end of its own: give it runs or a budget");
  search all(options, what);
  const unsigned workers =
      options.workers != 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
  if (options.strategy == strategy::exhaustive) {
    all.over_all();
  } else {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < workers; ++i) others.emplace_back([&] { all.over_seeds(); });
    all.over_seeds();
  }
  return all.result();
}

}  // namespace tp::sim
