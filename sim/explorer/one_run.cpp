// One run of a scenario.
#include "explorer/one_run.hpp"

#include <algorithm>

#include "explorer/last_words.hpp"
#include "explorer/watchdog.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "trace.hpp"
#include "verdict.hpp"

namespace tp::sim {

one_run::one_run(const scenario& what, answerer& answers, std::uint64_t most_steps, std::size_t kept_events)
    : world_(kept_events) {
  if (const last_words* const spoken = last_words::of_this_thread())
    world_.state_->time.how_to_replay = [spoken] { return spoken->how_to_replay(); };
  looked_after_.begin(world_.state_);
  world_.answer_with(&answers);
  make(what, most_steps);
  hash = world_.hash();
  steps = world_.steps();
  events = world_.state_->time.chronicle().noted();
  forced = world_.state_->time.forced() > 0;
}

one_run::~one_run() {
  world_.answer_with(nullptr);  // what dies with the world is no part of the run
}

void one_run::looked_after::begin(const std::shared_ptr<world::state>& what) {
  by_ = watchdog::of_this_thread();
  if (by_ == nullptr) return;
  what->guarded = true;
  by_->watch(what);
  what_ = what;
}

one_run::looked_after::~looked_after() {
  if (by_ != nullptr) by_->leave(*what_);
}

void one_run::make(const scenario& what, std::uint64_t most_steps) {
  world_.allow_steps(most_steps);
  try {
    what(world_);
  } catch (const std::exception& thrown) {
    why = std::string("the scenario threw: ") + thrown.what();
    return;
  } catch (...) {  // with several workers it would end the program
    why = "the scenario threw what is no std::exception";
    return;
  }
  const run_end end = world_.run();
  why = world_.failure();
  if (end == run_end::stalled) why = find_deadlock(*world_.state_);
  add_lock_cycle();
  if (why.empty()) why = find_misnamed(*world_.state_);
}

// Nothing ends a wait in a circle of locks. The others may have gone on all the same, or failed for want of
// those who wait.
void one_run::add_lock_cycle() {
  const std::string cycle = find_lock_cycle(*world_.state_);
  if (cycle.empty() || why.contains(cycle)) return;
  why = join(why.empty() ? "deadlock, threads wait for each other's locks for ever:" : why,
             why.ends_with('\n') ? "" : "\n", cycle);
}

std::string one_run::trace(std::size_t most) const {
  return trace_of(*world_.state_, most);
}

std::string one_run::difference(const one_run& other) const {
  const chronicle &mine = world_.state_->time.chronicle(), &others = other.world_.state_->time.chronicle();
  const std::size_t first = std::max(mine.first_kept(), others.first_kept());
  for (std::size_t i = first; i < std::max(mine.noted(), others.noted()); ++i) {
    const bool both = i < mine.noted() && i < others.noted();
    if (both && mine.at(i) == others.at(i)) continue;
    const auto text = [i](const one_run& run) { return trace_line(*run.world_.state_, i); };
    return join("event ", i, " was\n", text(*this), "the first time, and\n", text(other), "the second");
  }
  return first == 0 ? "what they chose differs, and no event does"
                    : join("their first ", first, " events differ, which were too many to keep");
}

}  // namespace tp::sim
