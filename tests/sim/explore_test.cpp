// Exploration: what it finds, how it says so, and that the same schedule is the same run.
#include "twinpipe/sim/explore.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <set>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Two threads that take two locks, each in its own order.
int lock_in_two_orders(process& p) {
  mutex a(p), b(p);
  p.start_thread("first", [&](thread&) {
    const std::scoped_lock one(a);
    const std::scoped_lock two(b);
    return 0;
  });
  p.start_thread("second", [&](thread&) {
    const std::scoped_lock one(b);
    const std::scoped_lock two(a);
    return 0;
  });
  return p.join();
}

void lock_order_bug(sim::world& world) {
  world.process("locks", world.user("alice"), lock_in_two_orders);
}

/// Reads a number that two threads count up without a lock, so that one may be lost.
void lost_update(sim::world& world) {
  world.process("counter", world.user("alice"), [](process& p) {
    int count = 0;
    const auto add = [&](thread&) {
      const int seen = count;
      p.sleep(0ns);  // a point at which others go on
      count = seen + 1;
      return 0;
    };
    p.start_thread("one", add);
    p.start_thread("two", add);
    static_cast<void>(p.join());
    return count == 2 ? 0 : 1;
  });
}

template <class F>
sim::exploration_failed failure_of(F explore) {
  try {
    explore();
  } catch (const sim::exploration_failed& failed) {
    return failed;
  }
  FAIL("nothing failed");
  throw std::logic_error("not reached");
}

}  // namespace

THREADED_TEST_CASE("random schedules find a lock order that can deadlock, and say who waits for whom") {
  const auto failed = failure_of([] { sim::explore({.runs = 1000}, lock_order_bug); });
  CHECK_THAT(failed.why(), Catch::Contains("deadlock, nobody can go on"));
  CHECK_THAT(failed.why(),
             Catch::Contains("locks/first (alice) waits for a mutex that locks/second (alice) holds"));
  CHECK_THAT(failed.why(), Catch::Contains("a cycle: "));
  CHECK_THAT(failed.what(), Catch::Contains("TWINPIPE_REPLAY=3-seed-"));
  CHECK_THAT(failed.trace(), Catch::Contains("locks/first (alice)          waits for mutex"));
  CHECK_THAT(failed.trace(), !Catch::Contains("locks/main (alice)           locks mutex"));  // the library's
}

THREADED_TEST_CASE("a failed run fails again when its schedule is replayed") {
  const auto failed = failure_of([] { sim::explore({.runs = 1000}, lock_order_bug); });
  const auto again = failure_of([&] { sim::replay(failed.schedule(), lock_order_bug); });
  CHECK(again.why() == failed.why());
  CHECK_THROWS_AS(sim::replay("3-seed-xyz", lock_order_bug), std::invalid_argument);
  CHECK_THROWS_AS(sim::replay("0-seed-1", lock_order_bug), std::invalid_argument);
  CHECK_THROWS_WITH(sim::replay("3-path-99", lock_order_bug), Catch::Contains("another scenario"));
}

THREADED_TEST_CASE("a replay that the environment asks for has the bounds of its exploration") {
  const auto bounded = [] {
    sim::explore({.runs = 3, .most_steps = 20}, [](sim::world& world) {
      world.process("app", world.user("alice"), [](process& p) {
        for (int i = 0; i < 100; ++i) p.sleep(0ns);
        return 0;
      });
    });
  };
  const auto failed = failure_of(bounded);
  ::setenv("TWINPIPE_REPLAY", failed.schedule().c_str(), 1);
  const auto again = failure_of(bounded);
  ::unsetenv("TWINPIPE_REPLAY");
  CHECK(again.why() == failed.why());
}

THREADED_TEST_CASE("random bytes differ from seed to seed, and are those of the seed") {
  const auto first_byte_is = [](int wanted) {
    return [wanted](sim::world& world) {
      world.process("app", world.user("alice"), [wanted](process& p) {
        std::array<std::byte, 1> drawn{};
        p.random(drawn);
        return std::to_integer<int>(drawn[0]) % 16 == wanted ? 1 : 0;
      });
    };
  };
  for (const int wanted : {0, 7, 15}) {
    const auto failed = failure_of([&] { sim::explore({.runs = 1000}, first_byte_is(wanted)); });
    CHECK(failure_of([&] { sim::replay(failed.schedule(), first_byte_is(wanted)); }).why() == failed.why());
  }
}

THREADED_TEST_CASE("a world of one's own goes through the run of a seed, and shows what happened in it") {
  const auto failed = failure_of([] { sim::explore({.runs = 1000}, lost_update); });
  const std::string prefix = "3-seed-";
  REQUIRE_THAT(failed.schedule(), Catch::StartsWith(prefix));
  const auto choices = sim::random_choices(std::stoull(failed.schedule().substr(prefix.size()), nullptr, 16));
  sim::world world;
  world.answer_with(choices.get());
  lost_update(world);
  CHECK(world.run() == sim::run_end::failed);
  CHECK(world.failure() == failed.why());
  CHECK_THAT(world.recent_events(), Catch::Contains("counter/main (alice)") && Catch::Contains(" ends\n"));
  CHECK_THAT(world.dump(), Catch::Contains("program counter: returned 1\n"));
}

THREADED_TEST_CASE("a search without preemptions proves nothing wrong, and with one it finds the deadlock") {
  using enum sim::strategy;
  const auto none = sim::explore({.strategy = exhaustive, .runs = 0, .preemptions = 0}, lock_order_bug);
  CHECK(none.exhausted);
  const auto failed =
      failure_of([] { sim::explore({.strategy = exhaustive, .runs = 0, .preemptions = 1}, lock_order_bug); });
  CHECK_THAT(failed.schedule(), Catch::StartsWith("3-path-"));
  const auto again = failure_of([&] { sim::replay(failed.schedule(), lock_order_bug); });
  CHECK(again.why() == failed.why());
}

THREADED_TEST_CASE("an update that two threads can lose is found, and a lock around it proved to help") {
  const auto failed = failure_of([] { sim::explore({.runs = 1000}, lost_update); });
  CHECK_THAT(failed.why(), Catch::Contains("the program 'counter' returned 1"));
  const auto locked = [](sim::world& world) {
    world.process("counter", world.user("alice"), [](process& p) {
      int count = 0;
      mutex guard(p);
      const auto add = [&](thread&) {
        const std::scoped_lock held(guard);
        const int seen = count;
        p.sleep(0ns);
        count = seen + 1;
        return 0;
      };
      p.start_thread("one", add);
      p.start_thread("two", add);
      static_cast<void>(p.join());
      return count == 2 ? 0 : 1;
    });
  };
  const auto proof =
      sim::explore({.strategy = sim::strategy::exhaustive, .runs = 0, .preemptions = 2}, locked);
  CHECK(proof.exhausted);
  CHECK_THAT(proof.to_string(), Catch::StartsWith("exhausted at 2 preemptions, "));
}

THREADED_TEST_CASE("a run without end is one, however much time passes in it") {
  const auto failed = failure_of([] {
    sim::explore({.runs = 1, .most_steps = 5000}, [](sim::world& world) {
      world.process("spinner", world.user("alice"), [](process& p) {
        while (true) p.sleep(1s);
        return 0;
      });
    });
  });
  CHECK_THAT(failed.why(), Catch::Contains("goes round for ever"));
}

THREADED_TEST_CASE("an exception that leaves a program is a failure, and its text is told") {
  const auto failed = failure_of([] {
    sim::explore({.runs = 1}, [](sim::world& world) {
      world.process("thrower", world.user("alice"),
                    [](process&) -> int { throw std::runtime_error("no luck"); });
    });
  });
  CHECK(failed.why() == "the program 'thrower' failed: an exception left it: no luck");
}

THREADED_TEST_CASE("a scenario that depends on something outside its world is found out") {
  int runs = 0;
  const auto failed = failure_of([&] {
    sim::explore({.runs = 3, .twice = true}, [&](sim::world& world) {
      ++runs;
      world.process("fickle", world.user("alice"), [&runs](process& p) {
        if (runs % 2 == 0) p.log("an even run");
        return 0;
      });
    });
  });
  CHECK_THAT(failed.why(), Catch::Contains("two runs of one schedule differ"));
  CHECK_THAT(failed.why(), Catch::Contains("says: fickle, pid 1000: an even run"));
}

THREADED_TEST_CASE("several workers find what one finds, and the earliest run is told") {
  const auto one = failure_of([] { sim::explore({.runs = 1000}, lock_order_bug); });
  const auto two = failure_of([] { sim::explore({.runs = 1000, .workers = 2}, lock_order_bug); });
  CHECK(one.why().substr(0, 20) == two.why().substr(0, 20));
  CHECK(sim::explore({.runs = 50, .workers = 2}, [](sim::world& world) {
          world.process("idle", world.user("alice"), [](process&) { return 0; });
        }).runs == 50);
}

THREADED_TEST_CASE("whatever a scenario throws is told like any failure, on several workers, too") {
  for (const unsigned workers : {1U, 2U}) {
    const auto failed =
        failure_of([&] { sim::explore({.runs = 20, .workers = workers}, [](sim::world&) { throw 7; }); });
    CHECK(failed.why() == "the scenario threw what is no std::exception");
    CHECK_THAT(failed.what(), Catch::Contains("TWINPIPE_REPLAY=3-seed-1 "));
  }
}

THREADED_TEST_CASE("an exploration that would never end is refused, and counts are told in words") {
  CHECK_THROWS_AS(sim::explore({.runs = 0}, lost_update), std::invalid_argument);
  CHECK(sim::exploration{.runs = 1}.to_string() == "1 schedule");
  CHECK(sim::exploration{.runs = 2, .exhausted = true, .preemptions = 1}.to_string() ==
        "exhausted at 1 preemption, 2 schedules");
}

THREADED_TEST_CASE("a search that ends before it has seen all says so, and what ended it") {
  using enum sim::strategy;
  const auto few = sim::explore({.strategy = exhaustive, .runs = 2, .preemptions = 0}, lost_update);
  CHECK(few.to_string() == "not exhausted: 2 schedules of at most 0 preemptions, runs ended");
  const auto none = sim::explore({.strategy = exhaustive, .runs = 0, .budget = 1ns}, lost_update);
  CHECK(none.to_string() == "not exhausted: 0 schedules of at most 2 preemptions, budget ended");
}

THREADED_TEST_CASE("a search says that a thread was made to wait, for that limits what it has proved") {
  const auto all = sim::explore({.strategy = sim::strategy::exhaustive, .runs = 0, .preemptions = 0},
                                [](sim::world& world) {
                                  world.process("busy", world.user("alice"), [](process& p) {
                                    p.start_thread("idle", [](thread&) { return 0; });
                                    for (int i = 0; i < 1100; ++i) p.sleep(0ns);
                                    return p.join();
                                  });
                                });
  CHECK(all.exhausted);
  CHECK_THAT(all.to_string(),
             Catch::StartsWith("exhausted at 0 preemptions, 1 schedule; in 1 a thread that never "
                               "waited was made to, after 1000 points"));
}

THREADED_TEST_CASE("the first event that differs is told, however long the run went on after it") {
  int runs = 0;
  const auto failed = failure_of([&] {
    sim::explore({.runs = 1, .twice = true}, [&](sim::world& world) {
      const bool even = ++runs % 2 == 0;
      world.process("fickle", world.user("alice"), [even](process& p) {
        if (even) p.log("an even run");
        for (int i = 0; i < 40'000; ++i) p.sleep(1ns);
        return 0;
      });
    });
  });
  CHECK_THAT(failed.why(), Catch::Contains("event 3 was\n") && Catch::Contains("sleeps for 1 ns\n") &&
                               Catch::Contains("says: fickle, pid 1000: an even run"));
}

THREADED_TEST_CASE("a number that a scenario asks for is explored like all else that is open") {
  std::set<std::uint32_t> seen;
  const auto varied = [&](sim::world& world) {
    world.process("chooser", world.user("alice"), [&](process&) {
      seen.insert(world.choose(5));
      return 0;
    });
  };
  const auto all = sim::explore({.strategy = sim::strategy::exhaustive, .runs = 0}, varied);
  CHECK(all.runs == 5);
  CHECK(seen == std::set<std::uint32_t>{0, 1, 2, 3, 4});
}

THREADED_TEST_CASE("a run that aborts the program says first how to make it again, in either search") {
  const auto aborts_when_preempted = [](sim::world& world) {
    world.process("fragile", world.user("alice"), [](process& p) {
      int order = 0;
      p.start_thread("one", [&](thread&) { return order = 1, 0; });
      p.start_thread("two", [&](thread&) {
        if (order == 0) std::abort();
        return 0;
      });
      return p.join();
    });
  };
  using enum sim::strategy;
  const auto said = [&](sim::strategy how) {
    return test::last_words([&] { sim::explore({.strategy = how, .runs = 1000}, aborts_when_preempted); });
  };
  CHECK_THAT(said(random), Catch::Contains("to replay it: TWINPIPE_REPLAY=3-seed-"));
  const std::string path = said(exhaustive);
  REQUIRE_THAT(path, Catch::Contains("to replay it: TWINPIPE_REPLAY=3-path-"));
  const auto begin = path.find("3-path-");
  const std::string written = path.substr(begin, path.find(' ', begin) - begin);
  CHECK_THAT(test::last_words([&] { sim::replay(written, aborts_when_preempted); }),
             Catch::Contains(written));
}

}  // namespace tp::programs
