// Runtimes on a loop that the program lends (twinpipe/uv.hpp).
#include <functional>
#include <thread>

#include "platform_uv_support.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::test {
namespace {

/// A program's own timer; it stands still and closes after `times`.
struct own_timer {
  own_timer(own_loop& on, int times, std::function<void()> then = {})
      : left(times), when_over(std::move(then)) {
    uv_timer_init(&on.loop, &timer);
    timer.data = this;
    uv_timer_start(&timer, [](uv_timer_t* handle) { static_cast<own_timer*>(handle->data)->tick(); }, 1, 1);
  }
  void tick() {
    if (--left > 0) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    if (when_over) when_over();
  }

  uv_timer_t timer{};
  int left;
  std::function<void()> when_over;
};

task<result<void>> echo(runtime& rt, endpoint at, int messages) {
  auto listener = rt.listen(at);
  if (!listener) co_return fail(listener);
  auto client = co_await listener->accept();
  if (!client) co_return fail(client);
  tp::buffer got;
  for (int i = 0; i < messages; ++i) {
    if (auto r = co_await client->receive(got); !r) co_return fail(r);
    if (auto r = co_await client->send(got.text()); !r) co_return fail(r);
  }
  co_return {};
}

task<int> ask(runtime& rt, std::string name, int messages) {
  auto server = co_await rt.connect(name, {.mode = transmission::message});
  if (!server) co_return 1;
  tp::buffer got;
  for (int i = 0; i < messages; ++i) {
    if (!co_await server->send("question")) co_return 2;
    if (!co_await server->receive(got) || got.text() != "question") co_return 3;
  }
  co_return 0;
}

task<result<void>> sleep_until_closed(runtime& rt, errc& ended) {
  auto slept = co_await rt.sleep(1h);
  ended = slept ? errc::none : slept.error().code();
  co_return {};
}

// A client with an ordinary runtime on a thread of its own.
int serve_on(lent_rig& rig, int messages) {
  const std::string name = rig.directory / "socket";
  const endpoint at = rig.self.bind(name, {.mode = transmission::message}).value();
  task_group tasks;
  tasks.start(echo(*rig.runtime, at, messages));
  int outcome = -1;
  std::thread client(
      [&] { outcome = rig.self.run([&](tp::runtime& rt) { return ask(rt, name, messages); }); });
  rig.on.run();
  client.join();
  CHECK(tasks.size() == 0);
  CHECK(
      rig.runtime->run([](task_group& all) -> task<result<void>> { co_return co_await all.join(); }(tasks)));
  return outcome;
}

}  // namespace

TEST_CASE("a program serves inside its own uv_run, among its own timers") {
  lent_rig rig;
  own_timer timer(rig.on, 20);
  CHECK(serve_on(rig, 300) == 0);
  CHECK(timer.left == 0);
}

TEST_CASE("a runtime on a program's loop waits adaptively there, too") {
  lent_rig rig({.wait = wait_strategy::adaptive});
  own_timer timer(rig.on, 20);
  CHECK(serve_on(rig, 300) == 0);
  CHECK(timer.left == 0);
}

TEST_CASE("pending operations keep the program's uv_run running, and nothing else of the runtime does") {
  lent_rig rig;
  rig.on.run();
  task_group tasks;
  bool slept = false;
  tasks.start([](runtime& rt, bool& done) -> task<void> { done = (co_await rt.sleep(3ms)).has_value(); }(
                                              *rig.runtime, slept));
  rig.on.run();
  CHECK(slept);
}

TEST_CASE("a turn of a runtime on a program's loop waits for a post, and ends at its time") {
  lent_rig rig;
  bool called = false;
  std::thread other([&] { rig.runtime->post([&] { called = true; }); });
  CHECK(rig.runtime->turn(rig.runtime->now() + 5s) == turned::progressed);
  other.join();
  CHECK(called);
  CHECK(rig.runtime->turn(rig.runtime->now() + 2ms) == turned::timed_out);
}

TEST_CASE("a runtime that a program's callback destroys closes its operations and its handles only") {
  lent_rig rig;
  const endpoint at = rig.self.bind(rig.directory / "socket").value();
  errc ended = errc::none;
  task_group tasks;
  tasks.start(sleep_until_closed(*rig.runtime, ended));
  tasks.start([](runtime& rt, endpoint on) -> task<void> {
    auto listener = rt.listen(on);
    static_cast<void>(co_await listener->accept());
  }(*rig.runtime, at));
  own_timer other(rig.on, 20);
  uv_idle_t idle;
  int rounds = 0;
  idle.data = &rounds;
  uv_idle_init(&rig.on.loop, &idle);
  uv_idle_start(&idle, [](uv_idle_t* handle) { ++*static_cast<int*>(handle->data); });
  own_timer timer(rig.on, 3, [&] {
    const int before = rounds;
    rig.runtime.reset();
    CHECK(rounds == before);
    uv_close(reinterpret_cast<uv_handle_t*>(&idle), nullptr);
    CHECK(ended == errc::closed);
    CHECK(tasks.size() == 0);
  });
  rig.on.run();
  CHECK(rig.runtime == nullptr);
  CHECK(other.left == 0);
}

TEST_CASE("a connection that outlives no runtime leaves a program's loop clean") {
  lent_rig rig;
  const std::string name = rig.directory / "socket";
  const endpoint at = rig.self.bind(name, {.mode = transmission::message}).value();
  task_group tasks;
  tasks.start(echo(*rig.runtime, at, 1));
  CHECK(rig.runtime->run(ask(*rig.runtime, name, 1)) == 0);
  CHECK(
      rig.runtime->run([](task_group& all) -> task<result<void>> { co_return co_await all.join(); }(tasks)));
  rig.runtime.reset();
}

TEST_CASE("a runtime on a program's loop has no descriptor of its own to poll") {
  lent_rig rig;
  const auto none = rig.runtime->poll_handle();
  CHECK((none.error() == errc::not_supported && none.error().what_failed() == operation::poll_handle));
  CHECK(none.error().message().find("run the loop that was lent") != std::string::npos);
}

}  // namespace tp::test
