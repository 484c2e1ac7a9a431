// Starting, stopping and completing any operation.
#include "twinpipe/detail/operation.hpp"

#include <string>

#include "async/operation_steps.hpp"
#include "fatal.hpp"
#include "twinpipe/task.hpp"

namespace tp::detail {

void refuse_spent_awaitable() noexcept {
  fatal("an awaitable was used after it had been moved from, or after its result had been taken");
}

void refuse_spent_task() noexcept {
  fatal("a task was awaited after it had been moved from or awaited");
}

operation_base::operation_base(runtime_state& runtime, tp::operation kind) noexcept
    : runtime_(runtime), kind_(kind) {
  stop_mail_.deliver = &operation_base::deliver_stop;
  stop_mail_.self = this;
}

void operation_base::expire_after(duration d) noexcept {
  deadline_ = deadline_after(runtime_.now(), d);
}

void operation_base::refuse_second_await() noexcept {
  fatal("an operation was awaited twice");
}

void operation_base::hook() {
  hooked_ = true;
  hook_.emplace(token_, stop_hook{this});
}

// May run on any thread, and inside hook() if the stop came meanwhile.
void operation_base::stop_hook::operator()() const noexcept {
  self->runtime_.mail().post(self->stop_mail_);
}

void operation_base::deliver_stop(mail& note) noexcept {
  static_cast<stop_mail&>(note).self->ask_to_end();
}

// Deregistering waits for a stop callback that runs on another thread; after it nobody posts the note any
// more.
void operation_base::unhook() noexcept {
  hooked_ = false;
  hook_.reset();
  runtime_.mail().retract(stop_mail_);
}

void operation_base::forget_token() noexcept {
  token_ = {};
}

void operation_base::complete_later() noexcept {
  if (hooked_) unhook();
  phase_ = phase::completed;
  if (waiter_ || orphaned_) runtime_.defer(*this);  // a thread that waits looks at the phase
}

bool operation_base::outlives_waiter() noexcept {
  if (phase_ != phase::pending && !waiter_) return false;
  if (!runtime_.twin().killed()) {
    fatal("a coroutine was destroyed while it waited to " + std::string(to_string(kind_)) +
          ": stop the operation and let the coroutine end first");
  }
  if (hooked_) unhook();
  waiter_ = nullptr;
  orphaned_ = true;
  return true;
}

}  // namespace tp::detail
