// Tasks that run beside each other and are waited for together.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

#include "twinpipe/error.hpp"
#include "twinpipe/runtime.hpp"
#include "twinpipe/task.hpp"

namespace tp {

/// The only place for a task that isn't awaited where it is made. One thread's. Join it before it is
/// destroyed: a group destroyed with tasks inside, or with an exception that no join has thrown, aborts the
/// program, unless (the exception) another one is passing through. An error that no join has reported goes
/// with the group.
class task_group {
 public:
  task_group() noexcept = default;
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  ~task_group();

  /// Runs the task until it waits for the first time, and on from there beside the others. Its error or
  /// exception is kept for the join.
  void start(task<void> body) { run_void(*this, std::move(body)); }
  void start(task<result<void>> body) { run_result(*this, std::move(body)); }

  /// Asks all tasks that were given token() to stop.
  void request_stop() noexcept { stop_.request_stop(); }
  [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }
  [[nodiscard]] std::size_t size() const noexcept { return running_; }

  class join_awaiter {
   public:
    explicit join_awaiter(task_group& group) noexcept : group_(group) {}
    join_awaiter(const join_awaiter&) = delete;
    join_awaiter& operator=(const join_awaiter&) = delete;
    ~join_awaiter() {
      if (waiting_) group_.join_abandoned();
    }
    [[nodiscard]] bool await_ready() const noexcept { return group_.running_ == 0; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      group_.wait(waiter);
      waiting_ = true;
    }
    [[nodiscard]] result<void> await_resume() {
      waiting_ = false;
      return group_.take_outcome();
    }

   private:
    task_group& group_;
    bool waiting_ = false;
  };
  /// Waits until all tasks have ended, also those started meanwhile. The first exception that left one is
  /// thrown here, else the first error is the result. The waiter resumes in the turn in which the last task
  /// ended. The group can be used again. A second join while one waits, and the destruction of a coroutine
  /// that waits here, abort the program.
  [[nodiscard]] join_awaiter join() noexcept { return join_awaiter(*this); }

 private:
  struct member;
  static detail::root run_void(task_group& group, task<void> body);
  static detail::root run_result(task_group& group, task<result<void>> body);
  void join_abandoned() noexcept;
  void wait(std::coroutine_handle<> joiner) noexcept;
  void ended(member& who) noexcept;
  result<void> take_outcome();

  std::stop_source stop_;
  std::coroutine_handle<> joiner_;
  std::exception_ptr exception_;
  std::optional<error> error_;
  member* members_ = nullptr;  ///< those that run
  std::size_t running_ = 0;
};

}  // namespace tp
