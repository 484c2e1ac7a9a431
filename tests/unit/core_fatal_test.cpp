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
#include <thread>
#include <utility>

#include "blocking_rig.hpp"
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

TEST_CASE("a blocking connection destroyed while a thread waits in it aborts and names the call") {
  const auto said_by = [](const core::terms& terms, auto call) {
    return last_words([&] {
      blocking_rig rig(terms);
      rig.pipe.room = 0;
      rig.meanwhile.then([&] { rig.connection.reset(); });
      call(rig);
    });
  };
  const auto sentence = [](const std::string& name) {
    return "twinpipe: a blocking connection was destroyed while another thread waited in its " + name +
           ": close or abort it and let the thread return first\n";
  };
  const auto receives = [](blocking_rig& rig) {
    buffer into;
    static_cast<void>(rig.receive(into));
  };
  const auto reads = [](blocking_rig& rig) {
    std::array<std::byte, 4> into{};
    static_cast<void>(rig.connection->receive(into, {}));
  };
  const auto sends = [](blocking_rig& rig) { static_cast<void>(rig.send("out")); };
  CHECK(said_by(core_rig::messages(), receives) == sentence("receive"));
  CHECK(said_by(core_rig::plain_bytes(), reads) == sentence("receive"));
  CHECK(said_by(core_rig::messages(), sends) == sentence("send"));
}

TEST_CASE("a foreign thread that ends an asynchronous connection or listener aborts in every build") {
  const auto said_by = [](auto misuse) {
    return last_words([&] {
      server_rig rig;
      listener door = rig.listen();
      connection mine = rig.connect(rig.stream(), core_rig::messages());
      std::jthread foreign([&] { misuse(door, mine); });
    });
  };
  const std::string sentence = "twinpipe: a runtime was used by a thread that it doesn't belong to\n";
  CHECK(said_by([](listener& door, connection&) { static_cast<void>(door.accept()); }) == sentence);
  CHECK(said_by([](listener& door, connection&) { const listener gone = std::move(door); }) == sentence);
  CHECK(said_by([](listener&, connection& mine) { mine.abort(); }) == sentence);
  CHECK(said_by([](listener&, connection& mine) { static_cast<void>(mine.close()); }) == sentence);
  CHECK(said_by([](listener&, connection& mine) { const connection gone = std::move(mine); }) == sentence);
}
