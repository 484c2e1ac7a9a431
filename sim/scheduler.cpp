// Switches between a world's threads.
#include "scheduler.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {

constinit thread_local world::state* scheduler::running = nullptr;

scheduler::scheduler(std::size_t kept_events) : chronicle_(kept_events) {
  outside_.name = "outside";
}

scheduler::~scheduler() {
  if (!threads_.empty()) detail::fatal("a simulated thread outlived its world");
}

void scheduler::give_way(std::size_t to) {
  thread& next = *std::exchange(ready_[to], current_);
  switch_to(next);
}

void scheduler::be_made_to_wait() {
  ++forced_;
  give_way(0);
}

void scheduler::switch_to(thread& next) {
  if (&next == current_) return;
  thread& self = *current_;
  let_run(next);
  points_ = 0;
  note(happening::switched, self.number);
  self.stack.switch_to(next.stack);
}

void scheduler::let_run(thread& who) noexcept {
  current_ = &who;
  running_thread_.store(who.number, std::memory_order_release);
  running = who.outside() ? nullptr : who.process->world.get();
}

// Time passes only when nobody can go on.
thread& scheduler::next() {
  if (!dying_.empty()) return *dying_.take();
  while (!halted_ && ready_.empty() && !timers_.empty()) pass_time();
  if (!halted_ && !ready_.empty()) return *ready_.take(chronicle_.choose(ready_.size(), choice::pick));
  ready_.remove(&outside_);
  stalled_ = true;
  return outside_;
}

void scheduler::pass_time() {
  now_ = std::max(now_, timers_.next());
  note(happening::time_passed);
  while (timers_.next() <= now_) {
    const due first = timers_.take_first();
    if (first.what != nullptr) {
      static_cast<handle*>(first.what->twin.owner)->be_due(*first.what);
    } else {
      first.who->timed_out = true;
      wake(*first.who);
    }
  }
}

scheduler::end scheduler::block(sim::wait what, const void* on, time_point until, std::uint64_t shown) {
  thread& self = *current_;
  count_step();
  if (halted_ && !self.outside() && !self.dying) {
    leave_for_good();
    return end::killed;
  }
  // Only the other threads of its process go on beside one that is dying.
  if (self.dying && what != wait::thread_end && what != wait::process_end) return end::killed;
  self.waits = what;
  self.awaited = on;
  self.since = now_;
  note_showing(shown, happening::waits, 0, std::to_underlying(what));
  self.timed_out = false;
  stalled_ = false;
  if (until != never && !self.dying) timers_.add(until, {&self, nullptr}, self.timer);
  const bool was_dying = self.dying;
  switch_to(next());
  self.waits = wait::nothing;
  self.awaited = nullptr;
  timers_.remove(self.timer);
  if (self.outside() && stalled_) return end::stalled;
  if (self.dying && !was_dying) return end::killed;
  return self.timed_out ? end::timed_out : end::woken;
}

void scheduler::wake(thread& who) noexcept {
  if (who.waits == wait::nothing) return;
  who.waits = wait::nothing;
  timers_.remove(who.timer);
  const bool held = who.process != nullptr && who.process->paused;
  (who.dying ? dying_ : held ? paused_ : ready_).push(&who);
}

namespace {

void note_pause(scheduler& time, const process_record& process, happening what, bool seen) {
  if (seen) return time.note_showing(process.number, what, process.self.pid.value);
  time.chronicle().note_unseen({time.now(), time.current().number, what, 0, 0, process.self.pid.value, 0});
}

}  // namespace

void scheduler::pause_threads(process_record& process, bool seen) {
  if (current_->process == &process) detail::fatal("a simulated process can't pause itself");
  note_pause(*this, process, happening::paused, seen);
  for (std::size_t n = ready_.size(); n > 0; --n) {
    thread* const each = ready_.take();
    (each->process == &process ? paused_ : ready_).push(each);
  }
}

void scheduler::resume_threads(process_record& process, bool seen) {
  note_pause(*this, process, happening::resumed, seen);
  for (std::size_t n = paused_.size(); n > 0; --n) {
    thread* const each = paused_.take();
    (each->process == &process ? ready_ : paused_).push(each);
  }
}

std::shared_ptr<thread> scheduler::start(process_record& process, std::string name,
                                         std::function<void()> body) {
  auto made = std::make_shared<thread>();
  made->number = ++started_;
  made->name = std::move(name);
  made->process = &process;
  made->body = std::move(body);
  made->runs_in = this;
  made->stack.start(run, made.get());
  threads_.push_back(made);
  process.world->known_threads.add(
      join(process.short_name(), '/', process.distinct(made->name), " (", process.user, ')'), &process.on);
  note(happening::thread_started, made->number);
  ready_.push(made.get());
  return made;
}

fiber* scheduler::run(void* started) {
  thread& self = *static_cast<thread*>(started);
  scheduler& time = *self.runs_in;
  if (!self.dying) self.body();
  self.body = nullptr;
  if (self.acts_as != nullptr && !self.process->dead()) {
    fail_run(*self.process->world, join("the thread '", self.name, "' of ", self.process->name,
                                        " ended while it acted as a client"));
  }
  time.note(happening::thread_ended);
  self.ended = true;
  time.last_steps_ = 0;
  for (thread* const each : self.joiners) time.wake(*each);
  const auto own = std::ranges::find(time.threads_, &self, [](const auto& each) { return each.get(); });
  time.last_ended_ = std::move(*own);
  time.threads_.erase(own);
  time.let_run(time.next());
  return &time.current_->stack;
}

void scheduler::kill_threads(process_record& process) {
  const auto of_it = [&](const thread& each) { return each.process == &process; };
  // Whoever was started last ends first: what it uses is often its starter's.
  for (const auto& each : threads_ | std::views::reverse) {
    if (!of_it(*each) || std::exchange(each->dying, true) || each.get() == current_) continue;
    ready_.remove(each.get());
    paused_.remove(each.get());
    each->waits = wait::nothing;
    timers_.remove(each->timer);
    dying_.push(each.get());
  }
  if (current_->process == &process) return;
  while (true) {
    const auto left = std::ranges::find_if(threads_, [&](const auto& each) { return of_it(*each); });
    if (left == threads_.end()) return;
    (*left)->joiners.push_back(current_);
    const std::shared_ptr<thread> who = *left;
    if (block(wait::process_end, who.get(), never) == end::stalled && !who->ended)
      detail::fatal("the thread '" + who->name + "' of a killed process doesn't end");
    std::erase(who->joiners, current_);
  }
}

void scheduler::leave_for_good() {
  halted_ = true;
  thread& self = *current_;
  if (self.outside() || self.dying) return;
  for (self.waits = wait::world_end; !self.dying;) switch_to(next());
  self.waits = wait::nothing;
}

// Nothing can be done to a thread that doesn't leave, and nothing after it.
void scheduler::count_last_step() {
  constexpr unsigned enough = 1'000'000;
  if (++last_steps_ < enough) return;
  const std::string& failure = current_->process->world->failure;
  detail::fatal(join("the thread '", current_->name, "' of ", current_->process->name,
                     ", which was killed, goes round for ever",
                     failure.empty() ? "" : ". Before that: ", failure));
}

void scheduler::let_others_die() {
  dying_.push(current_);
  switch_to(next());
}

void scheduler::refuse_foreign(std::string_view call) const {
  std::string text =
      join(call,
           " was called by a thread that is in no world, while this one runs. What std::thread and "
           "std::async do is in no schedule: start threads with process.start_thread");
  if (how_to_replay) text += join("\n", how_to_replay());
  while (text.ends_with('\n')) text.pop_back();
  detail::fatal(text);
}

void scheduler::allow_steps(std::uint64_t most) noexcept {
  constexpr std::uint64_t most_watched = 100'000;
  const std::uint64_t left = most - std::min(most, steps());
  step_bound_ = most;
  most_steps_ = most - std::min(left / 10, most_watched);
}

void scheduler::exceed_steps() {
  const bool late = steps() <= step_bound_;
  most_steps_ = late ? steps() : UINT64_MAX;
  if (on_step_bound) on_step_bound(late);
}

}  // namespace tp::sim
