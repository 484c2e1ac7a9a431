// Tasks that run beside each other.
#include "twinpipe/task_group.hpp"

#include <string>

#include "fatal.hpp"
#include "twinpipe/escape.hpp"

namespace tp {

namespace {

[[noreturn]] void unjoined(const std::exception_ptr& exception) noexcept {
  std::string line = "a task_group was destroyed without the join that would have thrown an exception: ";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& thrown) {
    line += escape(thrown.what());
  } catch (...) {
    line += "no std::exception";
  }
  detail::fatal(line);
}

}  // namespace

task_group::~task_group() {
  if (running_ != 0)
    detail::fatal("a task_group was destroyed while tasks of it were running: join it first");
  if (exception_ && std::uncaught_exceptions() == 0) unjoined(exception_);
}

void task_group::join_abandoned() noexcept {
  detail::fatal(
      "a coroutine was destroyed while it waited to join a task_group: let the group's tasks end first");
}

void task_group::wait(std::coroutine_handle<> joiner) noexcept {
  if (joiner_) detail::fatal("a task_group was joined while another join of it waited");
  joiner_ = joiner;
}

detail::root task_group::run_void(task_group& group, task<void> body) {
  ++group.running_;
  try {
    co_await std::move(body);
  } catch (...) {
    if (!group.exception_) group.exception_ = std::current_exception();
  }
  group.ended();
}

detail::root task_group::run_result(task_group& group, task<result<void>> body) {
  ++group.running_;
  try {
    auto outcome = co_await std::move(body);
    if (!outcome && !group.error_) group.error_ = outcome.error();
  } catch (...) {
    if (!group.exception_) group.exception_ = std::current_exception();
  }
  group.ended();
}

// The joiner may destroy the group, so it is the last thing touched; and it must not run inside start().
void task_group::ended() noexcept {
  if (--running_ != 0) return;
  if (auto waiter = std::exchange(joiner_, nullptr)) waiter.resume();
}

result<void> task_group::take_outcome() {
  auto failed = std::exchange(error_, std::nullopt);
  if (auto thrown = std::exchange(exception_, nullptr)) std::rethrow_exception(thrown);
  if (failed) return std::unexpected(std::move(*failed));
  return {};
}

}  // namespace tp
