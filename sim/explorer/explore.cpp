// Exploration: runs over seeds or over all schedules, and the report of the one that failed.
#include "twinpipe/sim/explore.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "explorer/answerers.hpp"
#include "explorer/last_words.hpp"
#include "explorer/one_run.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

constexpr std::size_t few_events = 256, many_events = std::size_t{1} << 16U;
constexpr std::size_t lines_of_report = 80;

struct failure {
  std::string why;
  schedule how;
};

std::unique_ptr<answerer> answers_of(const schedule& how) {
  if (how.seed) return std::make_unique<random_answerer>(*how.seed);
  return std::make_unique<written_answerer>(how.choices);
}

/// Empty: it went well.
std::string why_failed(const scenario& what, answerer& answers, const explore_options& options,
                       std::uint64_t& steps, std::vector<std::uint32_t>& choices, std::uint64_t& hash) {
  const one_run run(what, answers, options.most_steps, few_events);
  steps += run.steps;
  choices = run.choices;
  hash = run.hash;
  return run.why;
}

/// Two runs of one schedule, compared event by event.
std::string why_differs(const scenario& what, const schedule& how, const explore_options& options) {
  const auto first = answers_of(how), second = answers_of(how);
  const one_run one(what, *first, options.most_steps, many_events),
      two(what, *second, options.most_steps, many_events);
  if (one.hash == two.hash) return {};
  return "two runs of one schedule differ, so the scenario depends on something outside its world: " +
         one.difference(two);
}

std::string report_of(const scenario& what, const failure& failed, const explore_options& options,
                      std::string_view which) {
  const std::string how = failed.how.to_string();
  const auto answers = answers_of(failed.how);
  const one_run again(what, *answers, options.most_steps, many_events);
  std::string text = join("twinpipe: ", which, " failed: ", failed.why, "\n");
  text += join("  to replay it: TWINPIPE_REPLAY=", how, " and this test again, or tp::sim::replay(\"", how,
               "\", scenario)\n");
  if (!again.failed())
    text += "  the same schedule did not fail again; the trace is that of the second run\n";
  return text + again.trace(lines_of_report);
}

[[noreturn]] void report(const scenario& what, const failure& failed, const explore_options& options,
                         std::string_view which) {
  std::string text = report_of(what, failed, options, which);
  std::fputs(text.c_str(), stderr);
  throw exploration_failed(std::move(text), failed.why, failed.how.to_string());
}

/// What the workers of one exploration share.
class search {
 public:
  search(const explore_options& options, const scenario& what) : options_(options), what_(what) {}

  void over_seeds() {
    while (!done()) {
      const std::uint64_t number = next_++;
      if (options_.runs != 0 && number >= options_.runs) return;
      const schedule how{.seed = options_.first_seed + number, .choices = {}};
      const last_words spoken(how.to_string());
      run(number, how, *answers_of(how));
    }
  }

  void over_all() {
    exhaustive_answerer answers(options_.preemptions);
    while (!done()) {
      if (options_.runs != 0 && next_ >= options_.runs) return;
      const last_words spoken("the run that follows its last one");
      run(next_++, std::nullopt, answers);
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
            .hash = hash_};
  }

 private:
  using real_clock = std::chrono::steady_clock;

  [[nodiscard]] bool done() const {
    return failed_ || (options_.budget != duration{} && real_clock::now() - begun_ >= options_.budget);
  }

  void run(std::uint64_t number, std::optional<schedule> how, answerer& answers) {
    std::uint64_t steps = 0, hash = 0;
    schedule path;
    std::string why = why_failed(what_, answers, options_, steps, path.choices, hash);
    const schedule& same = how ? *how : path;
    if (why.empty() && options_.twice) {
      std::uint64_t again = 0;
      std::vector<std::uint32_t> choices;
      why = why_failed(what_, *answers_of(same), options_, steps, choices, again);
      if (why.empty() && again != hash) why = why_differs(what_, same, options_);
    }
    ++runs_;
    steps_ += steps;
    hash_ += hash;  // in no order, for workers have none
    if (why.empty()) return;
    const std::lock_guard held(lock_);
    if (failure_ && failed_run_ < number) return;
    failure_ = failure{std::move(why), same};
    failed_run_ = number;
    failed_ = true;
  }

  const explore_options& options_;
  const scenario& what_;
  const real_clock::time_point begun_ = real_clock::now();
  std::atomic<std::uint64_t> next_ = 0, runs_ = 0, steps_ = 0, hash_ = 0;
  std::atomic<bool> failed_ = false;
  bool exhausted_ = false;
  std::mutex lock_;
  std::optional<failure> failure_;  ///< guarded: that of the earliest run
  std::uint64_t failed_run_ = 0;
};

}  // namespace

std::string exploration::to_string() const {
  if (exhausted) return join("exhausted at ", preemptions, " preemptions, ", runs, " schedules");
  return join(runs, " schedules");
}

exploration explore(const explore_options& options, const scenario& what) {
  if (const char* const only = std::getenv("TWINPIPE_REPLAY")) {
    replay(only, what);
    return {.runs = 1};
  }
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

void replay(std::string_view written, const scenario& what) {
  const auto how = schedule::parse(written);
  if (!how) {
    throw std::invalid_argument(join('\'', written, "' is no schedule of format ", schedule_format,
                                     "; a report of this version of the library names one"));
  }
  const auto answers = answers_of(*how);
  const explore_options options;
  const last_words spoken{std::string(written)};
  const one_run run(what, *answers, options.most_steps, many_events);
  if (run.failed()) report(what, {run.why, *how}, options, "the replayed run");
  std::fputs(("twinpipe: the replayed run did not fail\n" + run.trace(many_events)).c_str(), stderr);
}

}  // namespace tp::sim
