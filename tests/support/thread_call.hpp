// A blocking call that a coroutine can await: it runs on a thread of its own.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/runtime.hpp"

namespace tp::test {

/// The waiter resumes in a later turn of its runtime, by post(), when the call has returned. Calls that one
/// thread makes one after the other begin in that order: the next is made only when the last has returned or
/// waits in the kernel.
class thread_call {
 public:
  explicit thread_call(runtime& home) noexcept : home_(home) {}
  thread_call(const thread_call&) = delete;
  thread_call& operator=(const thread_call&) = delete;
  virtual ~thread_call();

  /// Acting as a client is a matter of this thread: there the call is made at once. True: it has returned.
  [[nodiscard]] bool made_here();
  void start(std::coroutine_handle<> waiter);
  void finish();

  blocking::limits how;

 private:
  virtual void make() = 0;
  void run(std::coroutine_handle<> waiter);
  void let_it_begin();

  runtime& home_;
  std::mutex lock_;
  std::condition_variable changed_;
  int task_ = 0;           ///< guarded; the kernel's number of the thread
  bool returned_ = false;  ///< guarded
  std::thread thread_;     ///< has the user's credentials of the thread that started it
};

template <class Result>
class typed_call final : public thread_call {
 public:
  using function = std::function<Result(const blocking::limits&)>;
  typed_call(runtime& home, function what) noexcept : thread_call(home), what_(std::move(what)) {}

  [[nodiscard]] Result take() {
    finish();
    return std::move(*result_);
  }

 private:
  void make() override { result_.emplace(what_(how)); }

  const function what_;
  std::optional<Result> result_;
};

}  // namespace tp::test
