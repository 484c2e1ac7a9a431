// What every asynchronous call returns: await it, with a deadline or a stop token if you like.
#pragma once

#include <coroutine>
#include <stop_token>
#include <utility>

#include "twinpipe/detail/killed.hpp"
#include "twinpipe/detail/operation.hpp"
#include "twinpipe/time.hpp"

namespace tp {

class send_result;
struct received;

namespace detail {

/// How an awaitable reaches its operation.
template <class Result>
struct operation_calls {
  [[nodiscard]] static bool start(typed_operation<Result>& op) { return op.start(); }
  [[nodiscard]] static Result take(typed_operation<Result>& op) { return op.take(); }
};

/// Only a send and a receive of a connection end so: called without a table of functions, which is one more
/// thing that isn't in the cache when a coroutine resumes.
template <>
struct operation_calls<send_result> {
  [[nodiscard]] static bool start(typed_operation<send_result>& op);
  [[nodiscard]] static send_result take(typed_operation<send_result>& op);
};
template <>
struct operation_calls<result<received>> {
  [[nodiscard]] static bool start(typed_operation<result<received>>& op);
  [[nodiscard]] static result<received> take(typed_operation<result<received>>& op);
};

}  // namespace detail

/// One pointer to an operation that hasn't started. `co_await c.receive(b).within(5s).unless(stop)`.
///
/// The operation starts when it is awaited, and may be awaited once; a second time, or after a move, aborts
/// the program. The waiter resumes on the runtime's thread: at once, if the operation could be done without
/// waiting, else from a later turn, never inside request_stop() and never inside the call that caused the
/// completion. If a completion and a stop meet, the completion wins. Destroying a coroutine that waits is a
/// programming error and aborts the program: stop the operation, let the coroutine end, then destroy it.
template <class Result>
class [[nodiscard]] awaitable {
 public:
  explicit awaitable(detail::typed_operation<Result>& op) noexcept : op_(&op) {}
  awaitable(awaitable&& other) noexcept : op_(std::exchange(other.op_, nullptr)) {}
  awaitable(const awaitable&) = delete;
  awaitable& operator=(awaitable&&) = delete;
  ~awaitable() {
    if (op_ != nullptr) op_->abandon();
  }

  /// Ends with timed_out when that much time has passed since runtime::now(), the time of this turn. What the
  /// turn did before this call counts too: after a long computation less is left than `d`.
  [[nodiscard]] awaitable&& within(duration d) && noexcept {
    checked().expire_after(d);
    return std::move(*this);
  }
  /// Ends with timed_out at that time of the runtime's clock.
  [[nodiscard]] awaitable&& until(time_point deadline) && noexcept {
    checked().expire_at(deadline);
    return std::move(*this);
  }
  /// Ends with cancelled when a stop is requested, from any thread.
  [[nodiscard]] awaitable&& unless(std::stop_token token) && noexcept {
    checked().stop_with(std::move(token));
    return std::move(*this);
  }

  [[nodiscard]] bool await_ready() { return calls::start(checked()); }
  void await_suspend(std::coroutine_handle<> waiter) { op_->park(waiter); }
  [[nodiscard]] Result await_resume() {
    Result outcome = calls::take(*std::exchange(op_, nullptr));
    detail::leave_if_killed(outcome);
    return outcome;
  }

 private:
  using calls = detail::operation_calls<Result>;
  [[nodiscard]] detail::typed_operation<Result>& checked() const noexcept {
    if (op_ == nullptr) detail::refuse_spent_awaitable();
    return *op_;
  }

  detail::typed_operation<Result>* op_;
};

}  // namespace tp
