// Tasks that run beside each other.
#include "twinpipe/task_group.hpp"

#include <string>

#include "fatal.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/detail/lost.hpp"
#include "twinpipe/escape.hpp"

namespace tp {

namespace {

/// Ends the program, but for the end of a killed process that has passed through a task.
void unjoined(const std::exception_ptr& exception) noexcept {
  std::string line = "a task_group was destroyed without the join that would have thrown an exception: ";
  try {
    std::rethrow_exception(exception);
  } catch (const detail::process_killed&) {
    return;
  } catch (const std::exception& thrown) {
    line += escape(thrown.what());
  } catch (...) {
    line += "no std::exception";
  }
  detail::fatal(line);
}

}  // namespace

/// A task that runs. The group knows its frame, because a killed process ends without waiting for it.
struct task_group::member {
  explicit member(task_group& group) noexcept : next(std::exchange(group.members_, this)) {
    if (next != nullptr) next->previous = this;
    ++group.running_;
  }
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  ~member() = default;

  // What `co_await` does with it: it learns whose it is.
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) noexcept {
    frame = self;
    return false;
  }
  void await_resume() const noexcept {}

  member* next = nullptr;
  member* previous = nullptr;
  std::coroutine_handle<> frame;
};

task_group::~task_group() {
  if (running_ != 0 && !detail::process_killed::in_flight())
    detail::fatal("a task_group was destroyed while tasks of it were running: join it first");
  while (members_ != nullptr) {
    const auto frame = members_->frame;
    members_ = members_->next;
    frame.destroy();
  }
  if (exception_ && std::uncaught_exceptions() == 0) unjoined(exception_);
  const auto told = detail::when_error_is_lost.load(std::memory_order_relaxed);
  if (error_ && told != nullptr && std::uncaught_exceptions() == 0) told(*error_);
}

void task_group::join_abandoned() noexcept {
  joiner_ = nullptr;
  if (detail::process_killed::in_flight()) return;
  detail::fatal(
      "a coroutine was destroyed while it waited to join a task_group: let the group's tasks end first");
}

void task_group::wait(std::coroutine_handle<> joiner) noexcept {
  if (joiner_) detail::fatal("a task_group was joined while another join of it waited");
  joiner_ = joiner;
}

detail::root task_group::run_void(task_group& group, task<void> body) {
  member self(group);
  co_await self;
  try {
    co_await std::move(body);
  } catch (...) {
    if (!group.exception_) group.exception_ = std::current_exception();
  }
  group.ended(self);
}

detail::root task_group::run_result(task_group& group, task<result<void>> body) {
  member self(group);
  co_await self;
  try {
    auto outcome = co_await std::move(body);
    if (!outcome && !group.error_) group.error_ = outcome.error();
  } catch (...) {
    if (!group.exception_) group.exception_ = std::current_exception();
  }
  group.ended(self);
}

// The joiner may destroy the group, so it is the last thing touched; and it must not run inside start().
void task_group::ended(member& who) noexcept {
  (who.previous != nullptr ? who.previous->next : members_) = who.next;
  if (who.next != nullptr) who.next->previous = who.previous;
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
