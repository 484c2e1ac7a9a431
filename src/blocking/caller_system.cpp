// The system of a blocking connection.
#include "blocking/caller_system.hpp"

#include <cassert>
#include <utility>

#include "async/mutex_guard.hpp"

namespace tp::detail {

void caller_waker::wake() noexcept {
  woken_.store(true);
  const mutex_guard held(*lock_);
  for (const reachable* each = first_; each != nullptr; each = each->next) each->by->raise();
}

void caller_waker::enter(reachable& who) {
  const mutex_guard held(*lock_);
  who.previous = nullptr;
  who.next = first_;
  if (first_ != nullptr) first_->previous = &who;
  first_ = &who;
  if (woken_.load()) who.by->raise();  // it came before anybody could be reached
}

void caller_waker::leave(reachable& who) {
  const mutex_guard held(*lock_);
  (who.previous != nullptr ? who.previous->next : first_) = who.next;
  if (who.next != nullptr) who.next->previous = who.previous;
}

// Also one that has passed waits: it still allows one attempt.
backend::start caller_system::sleep(backend::op& op) {
  assert(timer_ == nullptr && "a connection sets its timer again only when it has ended");
  timer_ = &op;
  return op.begin();
}

void caller_system::schedule(backend::op& op) noexcept {
  op.begin();
  finish(op, {});
}

void caller_system::cancel(backend::op& op) noexcept {
  if (&op == timer_) finish(*std::exchange(timer_, nullptr), {errc::cancelled});
}

void caller_system::finish(backend::op& op, backend::status result, std::size_t n) noexcept {
  op.result = result;
  op.n = n;
  ready_.push(op);
}

void caller_system::run() {
  while (true) {
    if (waker_->woken() && wake_handler_ != nullptr) wake_handler_(wake_context_);
    backend::op* const op = ready_.pop();
    if (op == nullptr) return;
    op->complete(op->result, op->n);
  }
}

void caller_system::run_due(bool killed) {
  if (next_due() <= now() || killed) finish(*std::exchange(timer_, nullptr), {});
  run();
}

backend::turn_result caller_system::turn(time_point) {
  run();
  return backend::turn_result::progressed;
}

void caller_system::on_wake(void (*handler)(void*) noexcept, void* context) noexcept {
  wake_handler_ = handler;
  wake_context_ = context;
}

}  // namespace tp::detail
