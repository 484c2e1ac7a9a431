// Mistakes in how a program uses twinpipe: each ends it with a sentence that says which.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>

#include "core_accept_rig.hpp"
#include "twinpipe/task_group.hpp"

using namespace tp;
using namespace tp::test;

namespace {

/// Runs it in a child process; what that wrote to standard error if it aborted, else nothing.
std::string last_words(const std::function<void()>& mistake) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);  // Catch2 would report it
    mistake();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 512> some{};
  for (ssize_t n = 0; (n = ::read(ends[0], some.data(), some.size())) > 0;)
    said.append(some.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : "";
}

/// A task that waits until the end of the test, or throws at once.
struct held {
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept { waiter = h; }
  void await_resume() const noexcept {}
  std::coroutine_handle<> waiter;
};
task<> wait_at(held& gate) {
  co_await gate;
}
task<> throws() {
  throw std::runtime_error("nobody\nlistens");
  co_return;
}

detail::root join_it(task_group& group) {
  static_cast<void>(co_await group.join());
}
task<> join_in_task(task_group& group) {
  static_cast<void>(co_await group.join());
}

}  // namespace

TEST_CASE("an accept on a listener that was moved from aborts with a message") {
  server_rig rig;
  listener a = rig.listen();
  const listener b = std::move(a);
  CHECK(last_words([&] { static_cast<void>(a.accept()); }) ==
        "twinpipe: a listener was used after it had been moved from\n");
}

TEST_CASE("an endpoint that was moved from aborts with a message") {
  server_rig rig;
  endpoint a(rig.endpoint);
  const endpoint b = std::move(a);
  CHECK(last_words([&] { static_cast<void>(a.name()); }) ==
        "twinpipe: an endpoint was used after it had been moved from\n");
}

TEST_CASE("a second join of a group while one waits aborts with a message") {
  CHECK(last_words([] {
          held gate;
          task_group group;
          group.start(wait_at(gate));
          join_it(group);
          join_it(group);
        }) == "twinpipe: a task_group was joined while another join of it waited\n");
}

TEST_CASE("destroying a coroutine that waits to join a group aborts with a message") {
  const std::string said = last_words([] {
    held gate;
    task_group group;
    group.start(wait_at(gate));
    auto joiner = join_in_task(group);
    auto frame = std::move(joiner).operator co_await();
    CHECK(frame.await_suspend(std::noop_coroutine()));
  });
  CHECK(said.starts_with("twinpipe: a coroutine was destroyed while it waited to join a task_group"));
}

TEST_CASE("a group destroyed with an exception that nobody joined aborts with its text") {
  CHECK(last_words([] {
          task_group group;
          group.start(throws());
        }) ==
        "twinpipe: a task_group was destroyed without the join that would have thrown an exception: "
        "nobody\\x0alistens\n");
  const auto while_another_passes = [] {
    task_group group;
    group.start(throws());
    throw std::logic_error("the first");
  };
  CHECK_THROWS_AS(while_another_passes(), std::logic_error);
}

TEST_CASE("a group destroyed with tasks inside aborts with a message") {
  CHECK(last_words([] {
          held gate;
          task_group group;
          group.start(wait_at(gate));
        }) == "twinpipe: a task_group was destroyed while tasks of it were running: join it first\n");
}
