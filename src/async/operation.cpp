// Starting, stopping and completing any operation.
#include "twinpipe/detail/operation.hpp"

#include <string>

#include "async/runtime_state.hpp"
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

void operation_base::check_thread() const noexcept {
  runtime_.check_thread_of_message();
}

errc operation_base::refuse_start() const noexcept {
  if (phase_ != phase::configured) fatal("an operation was awaited twice");
  if (runtime_.ending()) return errc::closed;
  if (runtime_.impersonating()) return errc::not_while_impersonating;
  if (token_.stop_requested()) return errc::cancelled;
  return errc::none;
}

void operation_base::park(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  if (token_.stop_possible()) hook_.emplace(token_, stop_hook{this});
}

// May run on any thread, and inside park() if the stop came meanwhile.
void operation_base::stop_hook::operator()() const noexcept {
  self->runtime_.mail().post(self->stop_mail_);
}

void operation_base::deliver_stop(mail& note) noexcept {
  static_cast<stop_mail&>(note).self->ask_to_end();
}

// Deregistering waits for a stop callback that runs on another thread; after it nobody posts the note any
// more.
void operation_base::unhook() noexcept {
  if (hook_) {
    hook_.reset();
    runtime_.mail().retract(stop_mail_);
  }
}

void operation_base::complete() noexcept {
  unhook();
  phase_ = phase::completed;
  if (auto waiter = std::exchange(waiter_, nullptr)) {
    waiter.resume();
  } else if (std::exchange(orphaned_, false)) [[unlikely]] {
    abandon();
  }
}

void operation_base::complete_later() noexcept {
  unhook();
  phase_ = phase::completed;
  if (waiter_ || orphaned_) runtime_.defer(*this);  // a thread that waits looks at the phase
}

bool operation_base::outlives_waiter() noexcept {
  if (phase_ != phase::pending && !waiter_) return false;
  if (!runtime_.twin().killed()) {
    fatal("a coroutine was destroyed while it waited to " + std::string(to_string(kind_)) +
          ": stop the operation and let the coroutine end first");
  }
  unhook();
  waiter_ = nullptr;
  orphaned_ = true;
  return true;
}

}  // namespace tp::detail
