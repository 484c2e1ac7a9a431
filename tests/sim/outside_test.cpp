// What user code must not do in a world: it is reported by name, where it would hang or go wrong.
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <mutex>
#include <thread>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// What is said before the program aborts in a run with that one program of alice's.
std::string last_words_of(sim::program main, duration patience = 200ms) {
  return test::last_words([&] {
    sim::explore({.runs = 1, .patience = patience},
                 [&](sim::world& world) { world.process("clock", world.user("alice"), main); });
  });
}

/// A thread of the real program, beside the world.
template <class F>
int beside(F what) {
  std::thread(what).join();
  return 0;
}

}  // namespace

THREADED_TEST_CASE("a thread that isn't the world's is told so at its first call, and what to do instead") {
  const auto named = [](const char* call, sim::program main) {
    const auto said = last_words_of(std::move(main));
    CHECK_THAT(said, Catch::StartsWith(std::string("twinpipe: ") + call + " was called by a thread") &&
                         Catch::Contains("start threads with process.start_thread") &&
                         Catch::Contains("to replay it: TWINPIPE_REPLAY=3-seed-1 and this test again"));
  };
  named("random", [](process& p) { return beside([&] { p.random({}); }); });
  named("now", [](process& p) { return beside([&] { static_cast<void>(p.now()); }); });
  named("log", [](process& p) { return beside([&] { p.log("hello"); }); });
  named("bind", [](process& p) { return beside([&] { static_cast<void>(p.bind("x")); }); });
  named("a blocking call, start_thread or join", [](process& p) {
    return beside([&] { static_cast<void>(p.start_thread("t", [](thread&) { return 0; })); });
  });
}

THREADED_TEST_CASE("a foreign thread may neither use a runtime nor a lock nor a file of a world") {
  const auto says = [](sim::program main) { return last_words_of(std::move(main)); };
  CHECK_THAT(says([](process& p) {
               return p.run([](runtime& rt) -> task<int> {
                 beside([&] { rt.post([] {}); });
                 co_return 0;
               });
             }),
             Catch::StartsWith("twinpipe: post, a stop or an endpoint was called by a thread"));
  CHECK_THAT(says([](process& p) {
               mutex guard(p);
               return beside([&] { guard.lock(); });
             }),
             Catch::StartsWith("twinpipe: a tp::mutex was called by a thread"));
  CHECK_THAT(says([](process& p) { return beside([&] { static_cast<void>(p.files().read("/x", 1)); }); }),
             Catch::StartsWith("twinpipe: a read of a file was called by a thread"));
}

THREADED_TEST_CASE(
    "a thread that really sleeps is reported by its name, with its last event and how to replay it") {
  const auto said = last_words_of([](process& p) {
    p.start_thread("sleeper", [&](thread&) {
      p.log("good night");
      std::this_thread::sleep_for(30s);
      return 0;
    });
    return p.join();
  });
  CHECK_THAT(said, Catch::StartsWith("twinpipe: no step of a world in 200 ms of real time: clock/sleeper "
                                     "(alice) blocks the real thread"));
  CHECK_THAT(said, Catch::Contains("to replay it: TWINPIPE_REPLAY=3-seed-1 and this test again\n"));
  CHECK_THAT(said, Catch::EndsWith("says: clock, pid 1000: good night\n"));
}

THREADED_TEST_CASE("a real mutex that two simulated threads lock is reported, for it stops the whole world") {
  const auto said = last_words_of([](process& p) {
    std::mutex real;
    const auto hold = [&](thread&) {
      const std::lock_guard held(real);
      p.sleep(1ms);  // the other one comes, and blocks
      return 0;
    };
    p.start_thread("one", hold);
    p.start_thread("two", hold);
    return p.join();
  });
  CHECK_THAT(said, Catch::Contains(" (alice) blocks the real thread"));
}

THREADED_TEST_CASE("a thread that goes round without a step is named, though its world changes meanwhile") {
  const auto said = last_words_of([](process& p) {
    return p.run([](runtime& rt) -> task<int> {
      while (true) rt.post([] {});
      co_return 0;
    });
  });
  CHECK_THAT(said, Catch::Contains("of real time: clock/main (alice) blocks the real thread"));
}

THREADED_TEST_CASE("to log, to choose and to ask for random bytes are steps, of which there is a bound") {
  const auto said_by = [](const std::function<void(sim::world&, process&)>& what) {
    return test::last_words([&] {
      try {
        sim::explore({.runs = 1, .most_steps = 5000}, [&](sim::world& world) {
          world.process("busy", world.user("alice"), [&](process& p) {
            while (true) what(world, p);
            return 0;
          });
        });
      } catch (const sim::exploration_failed&) {
        std::abort();  // it has been said
      }
    });
  };
  std::array<std::byte, 8> bytes;
  CHECK_THAT(said_by([](sim::world& world, process&) { static_cast<void>(world.choose(2)); }),
             Catch::StartsWith("twinpipe: run 1 failed: no end after 5000 steps"));
  const std::function<void(sim::world&, process&)> unable_to_throw[] = {
      [](sim::world&, process& p) { p.log("round"); }, [&](sim::world&, process& p) { p.random(bytes); }};
  for (const auto& each : unable_to_throw)  // their thread doesn't leave
    CHECK_THAT(
        said_by(each),
        Catch::StartsWith("twinpipe: the thread 'main' of busy, pid 1000, which was killed, goes round") &&
            Catch::Contains(". Before that: no end after 5000 steps"));
}

THREADED_TEST_CASE("a world of one's own is looked at, too, and one that has no patience to lose is not") {
  const auto sleeps_in = [](duration patience) {
    return test::last_words([&] {
      sim::world world;
      world.patience(patience);
      world.process("own", world.user("alice"), [](process&) {
        std::this_thread::sleep_for(500ms);
        return 0;
      });
      static_cast<void>(world.run());
    });
  };
  CHECK_THAT(sleeps_in(50ms), Catch::Contains("own/main (alice) blocks the real thread"));
  CHECK(sleeps_in(0ms) == "");
}

THREADED_TEST_CASE("a thread whose stack overflows is named before the program ends of it") {
  const auto fill_stack = [](sim::world& world) {
    world.process("deep", world.user("alice"), [](process&) {
      const std::function<int(int)> fill = [&](int depth) {
        std::array<volatile char, 1000> frame{};
        return depth == 0 ? frame[7] : fill(depth - 1) + frame[8];
      };
      return fill(1'000'000);
    });
  };
  const std::string named = "twinpipe: stack overflow of deep/main (alice): ";
  CHECK_THAT(test::last_words([&] { sim::explore({.runs = 1}, fill_stack); }, SIGSEGV),
             Catch::StartsWith(named) && Catch::EndsWith("TWINPIPE_REPLAY=3-seed-1 and this test again\n"));
  const auto alone = [&] {
    sim::world own;
    fill_stack(own);
    own.run();
  };
  CHECK_THAT(test::last_words(alone, SIGSEGV), Catch::StartsWith(named));
}

THREADED_TEST_CASE("a scenario that really blocks is reported like a thread of its world") {
  const auto said = test::last_words([] {
    sim::explore({.runs = 1, .patience = 200ms}, [](sim::world&) { std::this_thread::sleep_for(30s); });
  });
  CHECK_THAT(said, Catch::StartsWith("twinpipe: no step of a world in 200 ms of real time: outside blocks") &&
                       Catch::Contains("to replay it: TWINPIPE_REPLAY=3-seed-1 and this test again\n"));
}

THREADED_TEST_CASE("a thread that really blocks when it is killed at the end of its world is reported") {
  struct slow {
    ~slow() { std::this_thread::sleep_for(30s); }
  };
  const auto serves = [](sim::world& world) {
    world.process("server", world.user("alice"),
                  [](process& p) {
                    const slow last;
                    event never_set(p);
                    never_set.wait();
                    return 0;
                  },
                  {.background = true});
    world.process("client", {world.user("bob")}, [](process& p) { return p.sleep(1ms), 0; });
  };
  CHECK_THAT(test::last_words([&] { sim::explore({.runs = 1, .patience = 200ms}, serves); }),
             Catch::Contains(" of real time: server/main (alice) blocks the real thread"));
  CHECK_THAT(test::last_words([&] {
               sim::world own;
               own.patience(50ms);
               serves(own);
               own.run();
             }),
             Catch::Contains(" of real time: server/main (alice) blocks the real thread"));
}

THREADED_TEST_CASE("a call from outside that can never end says so, with who waits for what in the world") {
  test::duplex pair;
  pair.world.process("stuck", pair.user, [](process& p) {
    event never_set(p);
    never_set.wait();
    return 0;
  });
  const auto said = [&](const std::function<void(backend::blocking_stream&)>& call) {
    return test::last_words([&] { call(**pair.client.process->attach_blocking(pair.near->detach())); });
  };
  const std::string who =
      " outside a world's threads would never end, for nobody can go on:\n"
      "  stuck/main (alice) waits for an event that nobody sets, since 0.000000s\n";
  CHECK(said([](backend::blocking_stream& near) {
          test::reading read;
          near.read(read);
        }) == "twinpipe: to read at connection 5 with pid 1000" + who);
  CHECK(said([](backend::blocking_stream& near) {
          near.wait(backend::readiness::readable, never, nullptr);
        }) == "twinpipe: to wait for connection 5 with pid 1000" + who);
  CHECK(test::last_words([&] { (*pair.client.process->make_interrupt())->wait(never); }) ==
        "twinpipe: to wait for an interrupt" + who);
  CHECK(test::last_words([&] { pair.client.process->threads().make_event()->wait(never); }) ==
        "twinpipe: to wait for an event" + who);
}

THREADED_TEST_CASE("a call from outside into a world whose run has failed says why that failed") {
  test::duplex pair;
  pair.world.process("failing", pair.user, [](process&) { return 1; });
  REQUIRE(pair.world.run() == sim::run_end::failed);
  CHECK(
      test::last_words([&] { (*pair.client.process->make_interrupt())->wait(never); }) ==
      "twinpipe: to wait for an interrupt outside a world's threads would never end, for the run has "
      "failed: the "
      "program 'failing' returned 1\n  failing/main (alice) waits for the end of the run, since 0.000000s\n");
}

THREADED_TEST_CASE(
    "a thread of a killed process that does nothing but turn its loop ends the program, not the patience") {
  const auto said = test::last_words([] {
    sim::explore({.runs = 1}, [](sim::world& world) {
      const auto alice = world.user("alice");
      sim::hosted& stubborn = world.process("stubborn", alice,
                                            [](process& p) {
                                              const auto loop = p.twin().make_system();
                                              while (true) static_cast<void>((*loop)->turn(never));
                                              return 0;
                                            },
                                            {.background = true});
      world.process("killer", alice, [&](process& p) {
        p.sleep(1ms);
        stubborn.kill();
        return 0;
      });
    });
  });
  CHECK_THAT(said, Catch::Contains(
                       "the thread 'main' of stubborn, pid 1000, which was killed, goes round for ever") &&
                       Catch::Contains("to replay it: TWINPIPE_REPLAY=3-seed-1 "));
}

}  // namespace tp::programs
