// A turn of the loop: a poll, and the completions of what it has found. Every conversation goes through here
// for each of its messages, with a cache that the kernel and other processes have used meanwhile: what most
// turns need stands together, and what only time, wake-ups and lent loops need stands apart.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "clock.hpp"
#include "event_loop_handles.hpp"
#include "fatal.hpp"
#include "loop_events.hpp"

namespace tp::platform {

inline void event_loop::deliver(backend::op& op) noexcept {
  progressed_ = true;
  --pending_;
  op.twin.phase = static_cast<std::uint8_t>(op_phase::idle);
  static_cast<op_owner*>(op.twin.owner)->leave(op);
  op.complete(op.result, op.n);
}

// After the poll. What a handler starts, schedules or cancels is for the next turn: only the list as it
// stands is delivered.
[[gnu::hot]] void event_loop::complete_all() {
  now_ = never;
  budget_ = immediate_completions_per_turn;
  if (slept_since_ != never || !deadlines_.empty() || until_ != never) look_at_the_time();
  completing_now_.take(ready_);
  completing_ = true;
  if (woken_) tell_of_wake();
  while (backend::op* op = completing_now_.pop()) {
    if (phase_of(*op) == op_phase::finished) {
      deliver(*op);
    } else {
      keep_waiting(*op);
      static_cast<op_owner*>(op->twin.owner)->retry(*op);
    }
  }
  completing_ = false;
  if (lent()) keep_running(turning_ || pending_ > 0);
}

// True if the poll must not wait.
[[gnu::hot]] bool event_loop::prepare_poll() {
  const time_point next = next_due();
  if (next != never || spins_) return prepare_timed_poll(next);
  return !ready_.empty();
}

inline int event_loop::milliseconds_to_wait() const noexcept {
  const time_point next = next_due();
  return next == never ? -1 : milliseconds_until(next);
}

// What libuv would poll is polled here, and libuv asked only where it has something to do: a tenth of the
// instructions of its turn. Only if we may look, and the system knows of all interest.
[[gnu::always_inline]] inline void event_loop::poll_directly(bool awake) {
  std::array<loop_event, 64> room;
  bool all_ours = true;
  for (const loop_event& each : poll_events(poll_number_, room, awake ? 0 : milliseconds_to_wait())) {
    const auto at = static_cast<std::size_t>(each.descriptor);
    event_target* const target = each.events != 0 && at < targets_.size() ? targets_[at] : nullptr;
    all_ours = all_ours && target != nullptr;
    if (target != nullptr) target->on_event(each.events);
  }
  if (!all_ours) run_own(true);
}

// Whatever happens ends the run, see touch(). UV_RUN_ONCE would ask for the time and look at the timers once
// more, and handles of libuv's for before and after the poll cost more than these calls.
[[gnu::always_inline]] inline void event_loop::turn_own() {
  if (spins_ && turned_briefly()) return;
  do {
    const bool awake = prepare_poll();
    if (!looks_ || interest_changed_) {
      run_own(awake);
    } else {
      poll_directly(awake);
    }
    complete_all();
  } while (!progressed_ && !time_is_up());
}

// One function for all of it up to the poll: a return to a caller from before a sleep is one that the
// processor doesn't foresee.
[[gnu::hot]] backend::turn_result event_loop::turn(time_point until) {
  if (completing_) detail::fatal("a runtime was turned inside one of its own turns");
  until_ = until;
  progressed_ = false;
  turning_ = true;
  lent() ? turn_lent() : turn_own();
  turning_ = false;
  until_ = never;
  if (descriptor_) tell_descriptor();
  return progressed_ ? backend::turn_result::progressed : backend::turn_result::timed_out;
}

// A run may also end because the program's handlers called uv_stop.
[[gnu::noinline]] void event_loop::turn_lent() {
  keep_running(true);
  do {
    uv_run(loop_, UV_RUN_ONCE);
  } while (!progressed_ && !time_is_up());
  keep_running(pending_ > 0);
}

[[gnu::noinline]] void event_loop::run_own(bool awake) {
  leave_poll_to_libuv(awake);
  running_ = true;
  uv_run(loop_, awake ? UV_RUN_NOWAIT : UV_RUN_DEFAULT);
  running_ = false;
}

[[gnu::noinline]] bool event_loop::prepare_timed_poll(time_point next) {
  bool awake = !ready_.empty() || (may_be_due(next) && next <= real_now());
  if (!awake && spins_) {
    keep_from_sleeping(false);  // or libuv would say that it doesn't wait anyway
    awake = spin(next);
  }
  return awake;
}

// Rounded up: the poll never ends before the deadline.
int event_loop::milliseconds_until(time_point when) noexcept {
  using std::chrono::ceil, std::chrono::milliseconds;
  const auto left = ceil<milliseconds>(when - real_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

[[gnu::noinline]] void event_loop::look_at_the_time() {
  now_ = real_now();
  if (slept_since_ != never)
    habit_.slept(now_ - std::exchange(slept_since_, never), woken_ || !ready_.empty());
  while (backend::op* due = deadlines_.pop_due(now_)) expire(*due);
}

[[gnu::noinline]] void event_loop::tell_of_wake() {
  woken_ = false;
  progressed_ = true;
  if (wake_handler_ != nullptr) wake_handler_(wake_context_);
}

// A deadline that has passed still allows one attempt: a postponed start hasn't had its.
void event_loop::expire(backend::op& op) noexcept {
  auto& owner = *static_cast<op_owner*>(op.twin.owner);
  if (phase_of(op) == op_phase::postponed) {
    detail::op_list::unlink(op);
    keep_waiting(op);
    owner.retry(op);
  }
  if (phase_of(op) != op_phase::finished) owner.expire(op);
}

}  // namespace tp::platform
