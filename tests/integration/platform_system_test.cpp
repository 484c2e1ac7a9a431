// Turns: time, sleeps, schedule, wake-ups, the budget.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "platform_support.hpp"

namespace tp::test {

using backend::turn_result;

TEST_CASE("a turn with nothing to do ends at its time") {
  rig rig;
  const time_point until = rig.system->now() + 3ms;
  CHECK(rig.system->turn(until) == turn_result::timed_out);
  CHECK(rig.system->now() >= until);
  CHECK(rig.system->turn(until) == turn_result::timed_out);
}

TEST_CASE("a scheduled operation completes on a later turn") {
  rig rig;
  test_op first, second;
  first.then = [&] { rig.system->schedule(second); };
  rig.system->schedule(first);
  CHECK(first.pending());
  CHECK(rig.system->turn(never) == turn_result::progressed);
  CHECK(first.completions == 1);
  CHECK(second.completions == 0);
  CHECK(rig.system->turn(never) == turn_result::progressed);
  CHECK(second.completions == 1);
}

TEST_CASE("a scheduled operation ignores its deadline and cannot be cancelled") {
  rig rig;
  test_op op;
  op.deadline = rig.system->now() - 1s;
  rig.system->schedule(op);
  rig.system->cancel(op);
  rig.finish(op);
  CHECK(op.code() == errc::none);
}

TEST_CASE("sleeps end in the order of their deadlines, and never early") {
  rig rig;
  std::deque<test_op> sleeps(60);
  std::vector<time_point> ended;
  for (std::size_t i = 0; i < sleeps.size(); ++i) {
    sleeps[i].deadline = rig.system->now() + 20ms + std::chrono::microseconds((i * 7919) % 9001);
    sleeps[i].then = [&rig, &ended, &op = sleeps[i]] {
      CHECK((op.code() == errc::cancelled || op.deadline <= rig.system->now()));
      ended.push_back(op.deadline);
    };
    REQUIRE(rig.system->sleep(sleeps[i]) == start::pending);
  }
  for (std::size_t i = 0; i < sleeps.size(); i += 3) rig.system->cancel(sleeps[i]);
  for (test_op& op : sleeps) rig.finish(op);
  std::size_t cancelled = 0;
  for (const test_op& op : sleeps) cancelled += op.code() == errc::cancelled ? 1U : 0U;
  CHECK(cancelled == 20);
  // The cancelled ones come first, whatever their deadlines.
  CHECK(std::ranges::is_sorted(ended.begin() + 20, ended.end()));
}

TEST_CASE("the time does not move while completions run") {
  rig rig;
  test_op first, second;
  time_point seen_first, seen_second;
  first.then = [&] {
    seen_first = rig.system->now();
    std::this_thread::sleep_for(2ms);
  };
  second.then = [&] { seen_second = rig.system->now(); };
  rig.system->schedule(first);
  rig.system->schedule(second);
  CHECK(rig.system->turn(never) == turn_result::progressed);
  CHECK(seen_first == seen_second);
  CHECK(rig.system->now() > seen_second);
}

TEST_CASE("a wake from another thread ends a turn and runs the handler") {
  rig rig;
  int woken = 0;
  rig.system->on_wake([](void* count) noexcept { ++*static_cast<int*>(count); }, &woken);
  std::jthread other([waker = rig.system->get_waker()] { waker->wake(); });
  CHECK(rig.system->turn(never) == turn_result::progressed);
  other.join();
  CHECK(woken == 1);
}

TEST_CASE("several wakes before one turn count as one") {
  rig rig;
  int woken = 0;
  rig.system->on_wake([](void* count) noexcept { ++*static_cast<int*>(count); }, &woken);
  const auto waker = rig.system->get_waker();
  for (int i = 0; i < 5; ++i) waker->wake();
  CHECK(rig.system->turn(never) == turn_result::progressed);
  rig.turn_once();
  CHECK(woken == 1);
}

TEST_CASE("no wake is lost, however many threads send them") {
  rig rig;
  struct counter {
    std::atomic<int> sent = 0;
    int seen = 0;
  } count;
  rig.system->on_wake(
      [](void* c) noexcept { static_cast<counter*>(c)->seen = static_cast<counter*>(c)->sent; }, &count);
  std::vector<std::jthread> senders;
  for (int i = 0; i < 3; ++i)
    senders.emplace_back([&, waker = rig.system->get_waker()] {
      for (int j = 0; j < 1000; ++j) {
        ++count.sent;
        waker->wake();
      }
    });
  rig.turn_until([&] { return count.seen == 3000; });
}

TEST_CASE("a waker outlives its system and then does nothing") {
  auto rig = std::make_unique<test::rig>();
  const auto waker = rig->system->get_waker();
  std::jthread other([waker] {
    for (int i = 0; i < 1000; ++i) waker->wake();
  });
  rig.reset();
  other.join();
  waker->wake();
}

TEST_CASE(
    "after 256 immediate completions in a turn further starts are pending, and complete in later turns") {
  connection_rig rig;
  std::deque<test_write> writes;
  std::size_t immediate = 0;
  test_op begin;
  begin.then = [&] {
    for (;;) {
      test_write& next = writes.emplace_back("x");
      if (rig.client->write(next) == start::pending) return;
      ++immediate;
    }
  };
  rig.system->schedule(begin);
  rig.turn_until([&] { return begin.completions == 1 && !writes.back().pending(); });
  CHECK(immediate == 256);
  CHECK(writes.back().code() == errc::none);
  CHECK(writes.back().completions == 1);
}

TEST_CASE("what the budget has postponed still has its one attempt when its deadline has passed") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "there") == errc::none);
  const auto bound = rig.bind(request_for(rig.directory / "other"));
  const auto acceptor = rig.open(bound);
  const endpoint_name other = name_of(rig.directory / "other");
  const auto waiting = rig.connect(rig.directory / "other");
  std::deque<test_write> writes;
  test_read in;
  test_write out("back");
  test_connect attempt;
  test_accept accepted;
  attempt.name = &other;
  for (backend::op* each : {static_cast<backend::op*>(&in), static_cast<backend::op*>(&out),
                            static_cast<backend::op*>(&attempt), static_cast<backend::op*>(&accepted)})
    each->deadline = rig.system->now() - 1s;
  test_op begin;
  begin.then = [&] {
    do writes.emplace_back("x");
    while (rig.client->write(writes.back()) == start::done);
    CHECK(rig.server->read(in) == start::pending);
    CHECK(rig.server->write(out) == start::pending);
    CHECK(rig.system->connect(attempt) == start::pending);
    CHECK(acceptor->accept(accepted) == start::pending);
  };
  rig.system->schedule(begin);
  rig.turn_until([&] { return begin.completions == 1 && !writes.back().pending() && !in.pending(); });
  for (backend::op* each : {static_cast<backend::op*>(&out), static_cast<backend::op*>(&attempt),
                            static_cast<backend::op*>(&accepted)})
    rig.finish(*each);
  CHECK(in.text().starts_with("there"));
  CHECK(out.code() == errc::none);
  CHECK(attempt.stream != nullptr);
  CHECK(accepted.stream != nullptr);
}

TEST_CASE("a turn whose time has come polls without waiting") {
  rig rig;
  rig.turn_once();
  rusage before{}, after{};
  REQUIRE(::getrusage(RUSAGE_THREAD, &before) == 0);
  for (int i = 0; i < 100; ++i) rig.turn_once();
  REQUIRE(::getrusage(RUSAGE_THREAD, &after) == 0);
  CHECK(after.ru_nvcsw - before.ru_nvcsw < 10);  // a wait gives up the processor
}

TEST_CASE("what the budget has postponed can be cancelled and closed") {
  connection_rig rig;
  std::deque<test_write> writes;
  test_read in;
  test_connect attempt;
  const endpoint_name nowhere = name_of("/nonexistent/x");
  attempt.name = &nowhere;
  test_op begin;
  begin.then = [&] {
    do writes.emplace_back("x");
    while (rig.client->write(writes.back()) == start::done);
    CHECK(rig.server->read(in) == start::pending);
    CHECK(rig.system->connect(attempt) == start::pending);
    rig.system->cancel(attempt);
    rig.client->cancel(writes.back());
    rig.server->close();
  };
  rig.system->schedule(begin);
  rig.turn_until(
      [&] { return in.completions == 1 && attempt.completions == 1 && writes.back().completions == 1; });
  CHECK(writes.back().code() == errc::cancelled);
  CHECK(writes.back().n == 0);
  CHECK(attempt.code() == errc::cancelled);
  CHECK(in.code() == errc::closed);
}

TEST_CASE("a system and its streams leave no descriptor behind") {
  const std::size_t before = open_descriptors();
  {
    connection_rig rig;
    test_read in;
    REQUIRE(rig.server->read(in) == start::pending);
    rig.server.reset();
    rig.finish(in);
    const auto again = rig.attach(rig.client->detach());
  }
  CHECK(open_descriptors() == before);
}

}  // namespace tp::test
