// A coroutine that computes one value: lazy, awaited once.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "twinpipe/detail/frame_memory.hpp"

namespace tp {

template <class T = void>
class task;

namespace detail {

/// Aborts: a task was moved from, or awaited before.
[[noreturn]] void refuse_spent_task() noexcept;

/// The part of a promise that doesn't depend on the value.
class promise_base : public counted_task {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  /// Resumes the parent only if it went to sleep. No symmetric transfer: g++ 12 compiles it to a real call
  /// unless it optimises, and a loop over finished tasks would overflow the stack.
  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
      if (self.promise().parent_) self.promise().parent_.resume();
    }
    void await_resume() noexcept {}
  };
  final_awaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  void rethrow() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

  std::coroutine_handle<> parent_;  ///< set while the parent sleeps

 private:
  std::exception_ptr exception_;
};

template <class T>
class promise : public promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class promise<void> : public promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() { rethrow(); }
};

}  // namespace detail

/// `tp::task<int> f(...)`: nothing runs until it is awaited or given to run() or a task_group. The awaiting
/// coroutine resumes inside the turn that finished it; an exception that left the coroutine is thrown there.
/// Its frame, arguments included, is destroyed when the await ends, and its memory kept for the next frame of
/// that size on this thread. A lambda with captures must not be a
/// coroutine: its captures die with the lambda, not with the frame; pass arguments instead.
template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = detail::promise<T>;
  using value_type = T;
  using handle = std::coroutine_handle<promise_type>;

  explicit task(handle frame) noexcept : frame_(frame) {}
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      reset();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~task() { reset(); }

  class awaiter {
   public:
    explicit awaiter(handle frame) noexcept : frame_(frame) {}
    awaiter(awaiter&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    ~awaiter() {
      if (frame_) frame_.destroy();
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
      frame_.resume();
      if (frame_.done()) return false;
      frame_.promise().parent_ = parent;
      return true;
    }
    T await_resume() { return frame_.promise().take(); }

   private:
    handle frame_;
  };
  awaiter operator co_await() && noexcept {
    if (!frame_ || frame_.done()) detail::refuse_spent_task();
    return awaiter(std::exchange(frame_, nullptr));
  }

 private:
  void reset() noexcept {
    if (frame_) std::exchange(frame_, nullptr).destroy();
  }
  handle frame_;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<promise>::from_promise(*this));
}
inline task<void> promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<promise>::from_promise(*this));
}

}  // namespace detail

}  // namespace tp
