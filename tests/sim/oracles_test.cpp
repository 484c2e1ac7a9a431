// What a world watches without being asked: each has a bug planted here that it must find.
#include <catch2/catch.hpp>

#include <mutex>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Why a run fails; "" if none does.
std::string why_scenario_fails(const sim::scenario& what, std::uint64_t runs = 20) {
  try {
    sim::explore({.runs = runs}, what);
  } catch (const sim::exploration_failed& failed) {
    return failed.why();
  }
  return "";
}

/// The same with that one program of alice's.
std::string why_fails(const sim::program& main, std::uint64_t runs = 20) {
  return why_scenario_fails([&](sim::world& world) { world.process("planted", world.user("alice"), main); },
                            runs);
}

/// A server's and a client's end in one process.
struct ends {
  explicit ends(process& p) : served(*p.bind("pair")), door(*blocking::listen(p, served)) {
    p.start_thread("server", [this](thread&) {
      far = std::make_unique<blocking::connection>(*door.accept());
      return 0;
    });
    near = std::make_unique<blocking::connection>(*blocking::connect(p, "pair"));
    static_cast<void>(p.join());
  }
  endpoint served;
  blocking::listener door;
  std::unique_ptr<blocking::connection> near, far;
};

}  // namespace

THREADED_TEST_CASE("an error of a task that no join has told is found") {
  const auto why = why_fails([](process& p) {
    return p.run([](runtime& rt) -> task<int> {
      task_group group;
      group.start([](runtime& on) -> task<result<void>> {
        auto nobody = co_await on.connect("nobody");
        if (!nobody) co_return fail(nobody);
        co_return {};
      }(rt));
      static_cast<void>(co_await rt.sleep(1s));
      co_return 0;
    });
  });
  CHECK_THAT(why, Catch::Contains("without the join that would have told an error"));
}

THREADED_TEST_CASE("a thread that ends while it acts as a client is found") {
  const auto why = why_fails([](process& p) {
    p.start_thread("forgetful", [&](thread&) { return p.twin().impersonator().enter(p.self()) ? 0 : 1; });
    return p.join();
  });
  CHECK_THAT(why,
             Catch::Contains("the thread 'forgetful' of planted, pid 1000 ended while it acted as a client"));
}

THREADED_TEST_CASE(
    "two sides that both wait for the other's word are a deadlock, and it is said who waits at what") {
  const auto why = why_fails([](process& p) {
    ends both(p);
    buffer one, two;
    p.start_thread("first", [&](thread&) { return both.near->receive(one) ? 0 : 1; });
    p.start_thread("second", [&](thread&) { return both.far->receive(two) ? 0 : 1; });
    return p.join();
  });
  CHECK_THAT(why, Catch::Contains("planted/first (alice) waits to read at connection"));
  CHECK_THAT(why, Catch::Contains("planted/second (alice) waits to read at connection"));
}

THREADED_TEST_CASE("threads that wait for each other's locks are found, though others go on and end") {
  const auto locks_in_two_orders = [](process& p) {
    mutex a(p), b(p);
    const auto hold = [&p](mutex& first, mutex& second) {
      return [&](thread&) {
        const std::scoped_lock one(first);
        p.sleep(1ms);
        const std::scoped_lock two(second);
        return 0;
      };
    };
    p.start_thread("first", hold(a, b));
    p.start_thread("second", hold(b, a));
    return p.join();
  };
  const auto run = [&](int result) {
    return why_scenario_fails([&](sim::world& world) {
      world.process("server", world.user("alice"), locks_in_two_orders, {.background = true});
      world.process("client", world.user("bob"), [result](process& p) {
        p.sleep(1s);
        return result;
      });
    });
  };
  const auto cycle =
      Catch::Contains("a cycle: server/first (alice) -> server/second (alice) -> server/first");
  CHECK_THAT(run(0), Catch::StartsWith("deadlock, threads wait for each other's locks for ever:") && cycle);
  CHECK_THAT(run(1), Catch::StartsWith("the program 'client' returned 1") && cycle);
}

THREADED_TEST_CASE("servers that wait for clients when all others have ended are no deadlock") {
  CHECK(why_fails([](process& p) {
          const auto served = *p.bind("idle");
          for (int i = 0; i < 3; ++i) {
            p.start_thread("acceptor", [&](thread&) {
              auto door = blocking::listen(p, served);
              return door->accept() ? 0 : 1;
            });
          }
          return p.join();
        }) == "");
}

THREADED_TEST_CASE(
    "a program in the background may wait for whatever it likes, and is no part of a deadlock") {
  const auto waits = [](process& p) {
    event never_set(p);
    never_set.wait();
    return 0;
  };
  CHECK_THROWS_WITH(
      sim::explore({.runs = 1},
                   [&](sim::world& world) {
                     const auto alice = world.user("alice");
                     world.process("helper", alice, waits, {.background = true});
                     world.process("stuck", alice, waits);
                   }),
      Catch::Contains("stuck/main (alice) waits for an event") && !Catch::Contains("helper/main"));
}

}  // namespace tp::programs
