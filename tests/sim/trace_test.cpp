// Traces as a reader sees them: a line for each event, and none that only the simulator understands.
#include <array>
#include <catch2/catch.hpp>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// What that thread did, without the time.
std::vector<std::string> lines_of(const sim::world& world, const std::string& who) {
  std::vector<std::string> found;
  std::istringstream all(world.recent_events());
  for (std::string line; std::getline(all, line);) {
    const auto at = line.find("s  " + who + ' ');
    if (at == std::string::npos) continue;
    found.push_back(line.substr(line.find_first_not_of(' ', at + 3 + who.size())));
  }
  return found;
}

using lines = std::vector<std::string>;

int wait_for_ever(process& p) {
  event never_set(p);
  never_set.wait();
  return 0;
}

}  // namespace

THREADED_TEST_CASE("the trace tells a program's end from a kill, and a kill is one line") {
  sim::world world;
  const auto alice = world.user("alice");
  auto& server = world.process("server", alice, wait_for_ever, {.background = true});
  world.process("operator", alice, [&](process& p) {
    p.sleep(1ms);
    server.pause();
    server.kill();
    return 0;
  });
  REQUIRE(world.run() == sim::run_end::finished);
  CHECK(lines_of(world, "operator/main (alice)") == lines{"sleeps for 1 ms", "pauses server, pid 1000",
                                                          "kills server, pid 1000",
                                                          "returns 0 from its program", "ends"});
  CHECK(lines_of(world, "server/main (alice)") == lines{"waits for an event", "ends"});
}

THREADED_TEST_CASE(
    "what a killed process had is told to be closed by its death, and what a pause does is told") {
  sim::world world;
  const auto alice = world.user("alice");
  auto& server = world.process("server", alice,
                               [](process& p) {
                                 const auto served = p.bind("files");
                                 return wait_for_ever(p);
                               },
                               {.background = true});
  world.process("operator", alice, [&](process& p) {
    p.sleep(1ms);
    server.pause();
    server.resume();
    server.kill();
    return 0;
  });
  REQUIRE(world.run() == sim::run_end::finished);
  CHECK(lines_of(world, "operator/main (alice)") ==
        lines{"sleeps for 1 ms", "pauses server, pid 1000", "lets server, pid 1000, go on",
              "kills server, pid 1000",
              "the name /run/user/1000/twinpipe/files is closed: its process is dead",
              "returns 0 from its program", "ends"});
}

THREADED_TEST_CASE("a host's crash is one line, and those of its processes that die") {
  sim::world world;
  auto& north = world.add_host("north");
  north.process("server", north.user("bob"), wait_for_ever, {.background = true});
  world.process("operator", world.user("alice"), [&](process& p) {
    p.sleep(1ms);
    north.crash();
    return 0;
  });
  REQUIRE(world.run() == sim::run_end::finished);
  CHECK(lines_of(world, "operator/main (alice)") == lines{"sleeps for 1 ms", "crashes the host north",
                                                          "kills north:server, pid 1000",
                                                          "returns 0 from its program", "ends"});
}

THREADED_TEST_CASE("choices, sleeps of no time and what rules for faults do are in the trace") {
  sim::world world;
  const auto alice = world.user("alice");
  world.add_faults(
      sim::at_act(sim::act::connect, "client", 1, {.delay = 2500us, .fails = errc::no_resources}));
  world.process("client", alice, [&](process& p) {
    static_cast<void>(world.choose(8));
    for (int i = 0; i < 3; ++i) p.sleep(0ns);
    return blocking::connect(p, "files") ? 1 : 0;
  });
  REQUIRE(world.run() == sim::run_end::finished);
  CHECK(lines_of(world, "client/main (alice)") ==
        lines{"chooses 0 of 0 to 7", "sleeps for no time, so that others may go on (3 times)",
              "has a fault: its connect is delayed by 2.5 ms", "has a fault: its connect fails: no_resources",
              "waits to connect", "tries to connect: no_resources", "returns 0 from its program", "ends"});
}

THREADED_TEST_CASE("threads of one name are told apart, and who waits for a lock sees who holds it") {
  sim::world world;
  world.process("pool", world.user("alice"), [](process& p) {
    mutex guard(p);
    const auto work = [&](thread&) {
      const std::lock_guard held(guard);
      p.sleep(1ms);
      return 0;
    };
    p.start_thread("worker", work);
    p.start_thread("worker", work);
    return p.join();
  });
  REQUIRE(world.run() == sim::run_end::finished);
  CHECK(lines_of(world, "pool/worker 2 (alice)") ==
        lines{"waits for mutex 1, which pool/worker (alice) holds", "locks mutex 1", "sleeps for 1 ms",
              "unlocks mutex 1", "ends"});
}

THREADED_TEST_CASE("a deadlock that a paused process causes says so") {
  const auto why = [] {
    try {
      sim::explore({.runs = 1}, [](sim::world& world) {
        const auto alice = world.user("alice");
        auto& server = world.process("server", alice, [](process& p) { return p.sleep(2ms), 0; });
        world.process("operator", alice, [&](process& p) {
          p.sleep(1ms);
          server.pause();
          return 0;
        });
      });
    } catch (const sim::exploration_failed& failed) {
      return failed.why();
    }
    return std::string();
  };
  CHECK(why() ==
        "deadlock, nobody can go on:\n"
        "  server/main (alice) could go on, but its process is paused\n"
        "  server, pid 1000 is paused, and nobody lets it go on: see hosted::resume");
}

}  // namespace tp::programs
