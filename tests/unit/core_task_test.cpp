// Tasks and task groups: each frame, argument, value and exception lives exactly as long as it should.
#include <catch2/catch.hpp>
#include <optional>
#include <stdexcept>
#include <thread>

#include "core_rig.hpp"
#include "twinpipe/task.hpp"
#include "twinpipe/task_group.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

/// Counts the objects that are alive.
struct counted {
  counted() { ++alive; }
  counted(const counted&) { ++alive; }
  counted(counted&&) noexcept { ++alive; }
  counted& operator=(const counted&) = default;
  ~counted() { --alive; }
  static inline int alive = 0;
};

/// Something to wait for that a test ends by hand.
struct gate {
  std::coroutine_handle<> waiter;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept { waiter = h; }
  void await_resume() const noexcept {}
  void open() { std::exchange(waiter, nullptr).resume(); }
};

task<counted> make(counted argument) {
  counted local = argument;
  co_return local;
}
task<counted> make_later(gate& at, counted argument) {
  counted local = argument;
  co_await at;
  co_return local;
}
task<int> throws_after(gate* at, counted) {
  if (at != nullptr) co_await *at;
  throw std::runtime_error("thrown");
  co_return 1;
}
task<int> finished(int n) {
  co_return n;
}
task<> do_nothing() {
  co_return;
}

detail::root consume(task<counted> body, bool& done) {
  {
    const counted value = co_await std::move(body);
    // The awaited frame, its argument and its local are gone already.
    if (counted::alive != 1) FAIL_CHECK("alive: " << counted::alive);
  }
  done = true;
}

detail::root catch_it(task<int> body, std::string& what) {
  try {
    static_cast<void>(co_await std::move(body));
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
}

detail::root discard(task<counted> body, bool& done) {
  static_cast<void>(co_await std::move(body));
  done = true;
}

}  // namespace

TEST_CASE("a task that is never awaited runs nothing and frees its argument") {
  REQUIRE(counted::alive == 0);
  {
    auto unused = make(counted());
    CHECK(counted::alive == 1);
    auto moved = std::move(unused);
    CHECK(counted::alive == 1);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("an awaited task hands over its value and its frame is gone, now or later") {
  bool done = false;
  auto at_once = make(counted());
  consume(std::move(at_once), done);
  CHECK((done && counted::alive == 0));
  gate at;
  done = false;
  consume(make_later(at, counted()), done);
  CHECK((!done && counted::alive == 2));
  at.open();
  CHECK((done && counted::alive == 0));
}

TEST_CASE("a value that is thrown away is freed") {
  bool done = false;
  discard(make(counted()), done);
  CHECK((done && counted::alive == 0));
}

TEST_CASE(
    "an exception that leaves a task is thrown where it is awaited, now or later, and frees the frame") {
  std::string what;
  catch_it(throws_after(nullptr, counted()), what);
  CHECK((what == "thrown" && counted::alive == 0));
  gate at;
  what.clear();
  catch_it(throws_after(&at, counted()), what);
  CHECK((what.empty() && counted::alive == 1));
  at.open();
  CHECK((what == "thrown" && counted::alive == 0));
}

TEST_CASE("a million awaits of finished tasks need no stack") {
  long sum = 0;
  const auto loop = [](long& into) -> detail::root {
    for (int i = 0; i < 1'000'000; ++i) into += co_await finished(1);
  };
  loop(sum);
  CHECK(sum == 1'000'000);
}

TEST_CASE("a million awaits of tasks that each wait once need no stack either") {
  gate at;
  long sum = 0;
  const auto wait_once = [](gate& on) -> task<int> {
    co_await on;
    co_return 1;
  };
  const auto loop = [](gate& on, long& into, auto& once) -> detail::root {
    for (int i = 0; i < 1'000'000; ++i) into += co_await once(on);
  };
  loop(at, sum, wait_once);
  while (at.waiter) at.open();
  CHECK(sum == 1'000'000);
}

TEST_CASE("a deep chain of tasks ends in the order it began") {
  struct chain {
    static task<int> of(gate& at, int depth) {
      if (depth == 0) {
        co_await at;
        co_return 0;
      }
      co_return 1 + co_await of(at, depth - 1);
    }
  };
  gate at;
  int depth = 0;
  const auto run = [](gate& on, int& into) -> detail::root { into = co_await chain::of(on, 1000); };
  run(at, depth);
  at.open();
  CHECK(depth == 1000);
}

TEST_CASE("a result of nothing can be returned in braces") {
  const auto ok = []() -> task<result<void>> { co_return {}; };
  bool good = false;
  const auto run = [](task<result<void>> body, bool& into) -> detail::root {
    into = (co_await std::move(body)).has_value();
    co_await do_nothing();
  };
  run(ok(), good);
  CHECK(good);
}

TEST_CASE("a group waits for all its tasks, and its join reports the first error") {
  gate at[3];
  task_group group;
  std::optional<result<void>> joined;
  const auto body = [](gate& on, errc code) -> task<result<void>> {
    co_await on;
    if (code != errc::none) co_return fail(code);
    co_return {};
  };
  const auto join = [](task_group& g, std::optional<result<void>>& into) -> detail::root {
    into = co_await g.join();
  };
  group.start(body(at[0], errc::none));
  group.start(body(at[1], errc::busy));
  group.start(body(at[2], errc::closed));
  join(group, joined);
  at[2].open();
  at[0].open();
  CHECK((!joined && group.size() == 1));
  at[1].open();
  REQUIRE(joined.has_value());
  CHECK(joined->error() == errc::closed);
  join(group, joined);
  CHECK(joined->has_value());  // an error is reported once
}

TEST_CASE("a group's join throws the first exception, once, and frees every frame") {
  task_group group;
  gate at;
  const auto thrower = [](gate& on, counted) -> task<> {
    co_await on;
    throw std::runtime_error("from a task");
  };
  const auto errs = []() -> task<result<void>> { co_return fail(errc::busy); };
  group.start(thrower(at, counted()));
  group.start(errs());
  std::string what;
  std::optional<result<void>> again;
  const auto join = [](task_group& g, std::string& into,
                       std::optional<result<void>>& second) -> detail::root {
    try {
      static_cast<void>(co_await g.join());
    } catch (const std::runtime_error& e) {
      into = e.what();
    }
    second = co_await g.join();
  };
  join(group, what, again);
  CHECK((what.empty() && counted::alive == 1));
  at.open();
  CHECK((what == "from a task" && counted::alive == 0));
  REQUIRE(again.has_value());
  CHECK(again->has_value());
}

TEST_CASE("a group whose tasks are done at once can be joined, used again, and destroyed by its joiner") {
  auto group = std::make_unique<task_group>();
  gate at;
  const auto waits = [](gate& on) -> task<> { co_await on; };
  group->start(do_nothing());
  CHECK(group->size() == 0);
  group->start(waits(at));
  const auto join = [](std::unique_ptr<task_group>& g) -> detail::root {
    static_cast<void>(co_await g->join());
    g.reset();
  };
  join(group);
  at.open();
  CHECK(group == nullptr);
}

TEST_CASE("a group's stop token reaches operations of its tasks") {
  core_rig rig;
  connection c = rig.connect(rig.stream(), core_rig::messages());
  task_group group;
  const auto body = [](connection& on, std::stop_token stop) -> task<result<void>> {
    buffer into;
    auto got = co_await on.receive(into).unless(stop);
    if (!got) co_return fail(got);
    co_return {};
  };
  group.start(body(c, group.token()));
  rig.user_call([&] { group.request_stop(); });
  CHECK(group.size() == 1);
  rig.settle();
  CHECK(group.size() == 0);
}

namespace {
task<void> end_at_once() {
  co_return;
}
}  // namespace

TEST_CASE("a frame may end on another thread, and with it or after it") {
  auto made = std::make_unique<task<void>>(end_at_once());
  std::thread([&] { made.reset(); }).join();
  std::optional<task<void>> kept;
  std::thread([&] { kept.emplace(end_at_once()); }).join();
  kept.reset();
  void* const large = detail::allocate_frame(100'000);
  detail::free_frame(large, 100'000, true);
}
