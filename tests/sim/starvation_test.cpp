// Runs without end, and threads that never get what they wait for: who goes round, and who is starved, is
// told apart from a run that is only long.
#include <catch2/catch.hpp>
#include <mutex>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Why a run of one program of alice's fails that has so many steps.
std::string why_endless(const sim::program& main, std::uint64_t most_steps = 20'000) {
  try {
    sim::explore({.runs = 1, .most_steps = most_steps},
                 [&](sim::world& world) { world.process("planted", world.user("alice"), main); });
  } catch (const sim::exploration_failed& failed) {
    return failed.why();
  }
  return "";
}

/// Whoever holds the lock has to wait for the others: the worst that a system may do.
struct unfair : sim::answerer {
  std::uint32_t answer(std::uint32_t, sim::choice what) override {
    return what == sim::choice::preempt && held ? 1 : 0;
  }
  bool held = false;
};

}  // namespace

THREADED_TEST_CASE("a thread that goes round for ever is named, and so is who waits for it meanwhile") {
  const auto why = why_endless([](process& p) {
    mutex lock(p);
    event locked(p);
    p.start_thread("spinner", [&](thread&) {
      lock.lock();
      locked.set();
      while (true) p.sleep(0ns);  // for something that the other one would do
      return 0;
    });
    p.start_thread("starved", [&](thread&) { return locked.wait(), lock.lock(), 0; });
    return p.join();
  });
  CHECK(why ==
        "no end after 20000 steps, as many as were allowed: some thread goes round for ever, for nothing has "
        "come "
        "of the last 2000\n"
        "  planted/spinner (alice) made 100 % of them\n"
        "  planted/main (alice) made none: it waits for the end of planted/spinner (alice), since 0.000000s\n"
        "  planted/starved (alice) made none: it waits for a mutex that planted/spinner (alice) holds, since "
        "0.000000s");
}

THREADED_TEST_CASE("several threads that go round are named with what each has made") {
  const auto why = why_endless([](process& p) {
    for (const char* name : {"one", "two"}) {
      p.start_thread(name, [&](thread&) {
        while (true) p.sleep(0ns);
        return 0;
      });
    }
    return p.join();
  });
  CHECK_THAT(why,
             Catch::Contains("some thread goes round for ever, for nothing has come of the last 2000\n") &&
                 Catch::Contains("  planted/one (alice) made ") &&
                 Catch::Contains("  planted/two (alice) made ") &&
                 Catch::Contains("  planted/main (alice) made none: it waits for the end of planted/one"));
}

THREADED_TEST_CASE("a run in which something comes of its steps may be only long, and that is said") {
  const auto why = why_endless([](process& p) {
    const auto served = p.bind("echo", {.profile = profile::raw});
    p.start_thread("server", [&](thread&) {
      auto client = blocking::listen(p, *served)->accept();
      for (buffer into; client->receive(into);) p.sleep(1ms);
      return 0;
    });
    auto server = blocking::connect(p, "echo", {.profile = profile::raw});
    while (server->send("still busy")) p.sleep(1ms);
    return p.join();
  });
  CHECK_THAT(
      why, Catch::StartsWith("no end after 20000 steps, as many as were allowed: some thread goes round for "
                             "ever, or the run is only long. In the last 2000 steps ") &&
               Catch::Contains("s passed, ") && Catch::Contains(" bytes were read, 0 objects were made"));
}

THREADED_TEST_CASE(
    "a thread that is always too late for a mutex is starved, and it is said who was there before") {
  sim::world world;
  unfair answers;
  world.answer_with(&answers);
  world.process("planted", world.user("alice"), [&](process& p) {
    mutex lock(p);
    p.start_thread("greedy", [&](thread&) {
      while (true) {
        lock.lock();
        answers.held = true;
        p.sleep(0ns);
        answers.held = false;
        lock.unlock();
      }
      return 0;
    });
    p.start_thread("starved", [&](thread&) { return lock.lock(), lock.unlock(), 0; });
    return p.join();
  });
  CHECK(world.run() == sim::run_end::failed);
  CHECK(world.failure() ==
        "starvation: planted/starved (alice) waits for a mutex, was let go on 1301 times, and each time "
        "another one "
        "had taken it, the last time planted/greedy (alice)");
  CHECK_THAT(world.dump(), Catch::Contains("thread planted/starved (alice)"));
  world.answer_with(nullptr);
}

THREADED_TEST_CASE("threads that want one mutex all the time aren't starved where choices are random") {
  CHECK(why_endless(
            [](process& p) {
              mutex lock(p);
              for (int i = 0; i < 20; ++i) {
                p.start_thread("worker", [&](thread&) {
                  for (int round = 0; round < 200; ++round) {
                    const std::scoped_lock held(lock);
                    p.sleep(0ns);
                  }
                  return 0;
                });
              }
              return p.join();
            },
            1'000'000) == "");
}

}  // namespace tp::programs
