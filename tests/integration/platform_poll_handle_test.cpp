// Runtimes that a program with a loop of its own polls: poll_handle() and run_ready().
#include <poll.h>

#include <thread>

#include "platform_support.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::test {
namespace {

/// A process with a runtime and the descriptor that stands for it.
struct polled_rig {
  polled_rig() : self(*twin.process), runtime(tp::runtime::create(self).value()) {
    handle = static_cast<int>(runtime->poll_handle().value());
    settle();
  }
  [[nodiscard]] bool readable(std::chrono::milliseconds within = 0ms) const {
    pollfd question{handle, POLLIN, 0};
    return ::poll(&question, 1, static_cast<int>(within.count())) == 1;
  }
  void settle() {
    for (int i = 0; i < 100 && readable(); ++i) runtime->run_ready();
    REQUIRE_FALSE(readable());
  }
  // As a program's own loop would. How many turns it took.
  int run_until(const std::function<bool()>& holds) {
    int turns = 0;
    for (; !holds(); ++turns) {
      REQUIRE(readable(5s));
      runtime->run_ready();
    }
    return turns;
  }

  rig twin;
  tp::process self;
  std::unique_ptr<tp::runtime> runtime;
  temporary_directory directory;
  int handle = -1;
};

task<void> answer_once(runtime& rt, endpoint at) {
  auto listener = rt.listen(at);
  auto client = co_await listener->accept();
  tp::buffer got;
  while (client && co_await client->receive(got) && got.text() != "") {
    if (!co_await client->send(got.text())) break;
  }
}

}  // namespace

TEST_CASE("a program on poll(2) serves when a runtime's descriptor is readable") {
  polled_rig rig;
  const std::string name = rig.directory / "socket";
  const endpoint at = rig.self.bind(name, {.mode = transmission::message}).value();
  task_group tasks;
  tasks.start(answer_once(*rig.runtime, at));
  int outcome = -1;
  std::thread client([&] {
    outcome = rig.self.run([&](tp::runtime& rt) -> task<int> {
      auto server = co_await rt.connect(name, {.mode = transmission::message});
      tp::buffer got;
      for (int i = 0; i < 200; ++i) {
        if (!co_await server->send("question") || !co_await server->receive(got)) co_return 1;
        if (got.text() != "question") co_return 2;
      }
      co_return (co_await server->send("")) ? 0 : 3;
    });
  });
  rig.run_until([&] { return tasks.size() == 0; });
  client.join();
  CHECK(outcome == 0);
}

TEST_CASE("a runtime's descriptor is readable when a deadline comes, and quiet until then") {
  polled_rig rig;
  task_group tasks;
  tasks.start([](runtime& rt) -> task<void> {
    for (int i = 0; i < 3; ++i) static_cast<void>(co_await rt.sleep(20ms));
  }(*rig.runtime));
  const int turns = rig.run_until([&] { return tasks.size() == 0; });
  CHECK(turns <= 9);  // for each sleep: it was started, it has ended, and what waits for it resumes
  CHECK_FALSE(rig.readable());
}

TEST_CASE("what starts outside of its turns makes a runtime's descriptor readable") {
  polled_rig rig;
  bool called = false;
  rig.runtime->post([&] { called = true; });
  CHECK(rig.run_until([&] { return called; }) == 1);
  rig.settle();
  task_group tasks;
  tasks.start([](runtime& rt) -> task<void> {
    static_cast<void>(co_await rt.sleep(1h).unless(std::stop_token()).within(1ms));
  }(*rig.runtime));
  CHECK(rig.readable());
  rig.run_until([&] { return tasks.size() == 0; });
}

TEST_CASE("a stop wakes a polled runtime, and its descriptor stays the same") {
  polled_rig rig;
  CHECK(rig.runtime->poll_handle().value() == rig.handle);
  task_group tasks;
  tasks.start([](runtime& rt, std::stop_token stop) -> task<void> {
    static_cast<void>(co_await rt.sleep(1h).unless(std::move(stop)));
  }(*rig.runtime, tasks.token()));
  rig.settle();
  std::thread other([&] { tasks.request_stop(); });
  rig.run_until([&] { return tasks.size() == 0; });
  other.join();
}

}  // namespace tp::test
