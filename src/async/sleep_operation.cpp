// runtime::sleep.
#include "async/sleep_operation.hpp"

#include <algorithm>

#include "async/operation_steps.hpp"

namespace tp::detail {

sleep_operation::sleep_operation(runtime_state& runtime, duration d)
    : typed_operation(runtime, operation::sleep),
      resident(runtime),
      timer_(
          [](backend::op& op) noexcept {
            ref<sleep_operation>::adopt(static_cast<sleep_operation*>(op.context))->woke();
          },
          this),
      wake_at_(deadline_after(runtime.now(), std::max(d, duration::zero()))) {
  resident::retain();
  configure();
}

bool sleep_operation::start() {
  reason_ = refuse_start();
  begin();
  if (reason_ != errc::none) return finish_now(), true;
  timer_.deadline = std::min(wake_at_, deadline());
  if (deadline() < wake_at_) reason_ = errc::timed_out;
  auto& system = typed_operation::runtime_.system();
  if (system.sleep(timer_) == backend::start::done) {
    if (!timer_.result.ok()) reason_ = timer_.result.code;
    return finish_now(), true;
  }
  resident::retain();
  return false;
}

// A stop that came when the time had passed already came too late.
void sleep_operation::woke() {
  if (timer_.result.code == errc::cancelled) reason_ = stop_reason_;
  if (timer_.result.code == errc::process_killed) reason_ = errc::process_killed;
  if (pending()) complete();
}

void sleep_operation::give_up(errc reason) noexcept {
  if (!pending() || !timer_.pending()) return;
  stop_reason_ = reason;
  typed_operation::runtime_.system().cancel(timer_);
}

void sleep_operation::abandon() noexcept {
  if (outlives_waiter()) return;
  resident::release();
}

result<void> sleep_operation::take() {
  result<void> outcome;
  if (reason_ != errc::none) outcome = tp::fail(reason_, operation::sleep);
  retire();
  resident::release();
  return outcome;
}

}  // namespace tp::detail
