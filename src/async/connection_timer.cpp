// One timer for all deadlines of a connection. It is set late and fires early: a deadline that has moved back
// costs nothing.
#include <algorithm>

#include "async/connection_state.hpp"

namespace tp::detail {

void connection_state::set_timer(time_point deadline) {
  if (timer_op_.pending()) {
    if (deadline < timer_at_) runtime_.system().cancel(*timer_op_);  // its end arms it again
    timer_at_ = std::min(timer_at_, deadline);
    return;
  }
  timer_at_ = deadline;
  auto& op = borrow<&connection_state::timer_ended>(timer_op_);
  op.deadline = deadline;
  runtime_.sleep(op, *this);
  if (!op.pending()) timer_op_.give_back(runtime_.memory.ops);  // a dead process's
}

void connection_state::timer_ended() {
  timer_op_.give_back(runtime_.memory.ops);
  timer_at_ = never;
  const time_point now = runtime_.now();
  while (!torn_down_ && expire_one(now)) {
  }
  arm(next_deadline());
}

// Ends one operation whose time has come; its waiter may change everything, so the caller looks again from
// the start.
bool connection_state::expire_one(time_point now) {
  const auto due = [now](const auto* op) {
    return op != nullptr && op->stop_reason == errc::none && op->deadline() <= now;
  };
  if (due(receiving_)) return stop(*receiving_, errc::timed_out), true;
  if (due(shutting())) return stop(*shutting(), errc::timed_out), true;
  if (due(draining_)) return stop(*draining_, errc::timed_out), true;
  if (due(closing_)) return stop(*closing_, errc::timed_out), true;
  if (expire_sends(now)) return true;
  if (grace_until_ > now) return false;
  grace_passed_ = true;
  tear_down(errc::closed);
  return true;
}

// All that are due in one pass, so that a long queue costs no more than its length; then their waiters
// resume.
bool connection_state::expire_sends(time_point now) {
  bool any = false;
  for (core::outgoing* each = outbound_.items(); each != nullptr;) {
    core::outgoing* const next = each->next;
    if (each->what == core::outgoing::kind::data) {
      send_operation& op = *static_cast<send_operation::queued*>(each)->operation;
      if (op.stop_reason == errc::none && op.deadline() <= now) {
        take_back(op, errc::timed_out);
        any = true;
      }
    }
    each = next;
  }
  if (any) push_out(during::turn);
  return any;
}

time_point connection_state::next_deadline() const noexcept {
  time_point next = grace_until_;
  const auto consider = [&next](const auto* op) {
    if (op != nullptr && op->stop_reason == errc::none) next = std::min(next, op->deadline());
  };
  consider(receiving_);
  consider(shutting());
  consider(draining_);
  consider(closing_);
  for (const core::outgoing* each = outbound_.items(); each != nullptr; each = each->next) {
    if (each->what == core::outgoing::kind::data) {
      consider(static_cast<const send_operation::queued*>(each)->operation);
    }
  }
  return next;
}

}  // namespace tp::detail
