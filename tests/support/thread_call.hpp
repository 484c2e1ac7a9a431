// A blocking call that a coroutine can await: it runs on a thread of its own.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/runtime.hpp"

namespace tp::test {

/// The waiter resumes in a later turn of its runtime, by post(), when the call has returned. Calls that one
/// thread makes one after the other begin in that order: the next is made only when the last has returned or
/// waits for its peer. Each twin has threads of its own for this.
class thread_call {
 public:
  explicit thread_call(runtime& home) noexcept;
  thread_call(const thread_call&) = delete;
  thread_call& operator=(const thread_call&) = delete;
  virtual ~thread_call();

  /// Acting as a client is a matter of this thread: there the call is made at once. True: it has returned.
  [[nodiscard]] bool made_here() {
    if (!home_.owner().twin().impersonator().active()) return false;
    make();
    return true;
  }
  void start(std::coroutine_handle<> waiter);
  void finish();

  blocking::limits how;

 private:
  struct caller;

  virtual void make() = 0;

  runtime& home_;
  std::unique_ptr<caller> caller_;  ///< the thread, once it was started
};

template <class Result>
class typed_call final : public thread_call {
 public:
  using function = std::function<Result(const blocking::limits&)>;
  typed_call(runtime& home, function what) noexcept : thread_call(home), what_(std::move(what)) {}

  [[nodiscard]] Result take() {
    finish();
    if (!result_) detail::leave_killed();
    return std::move(*result_);
  }

 private:
  void make() override { result_.emplace(what_(how)); }

  const function what_;
  std::optional<Result> result_;
};

}  // namespace tp::test
