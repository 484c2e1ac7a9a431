// What a system leaves open is open in a world, too.
#include <catch2/catch.hpp>
#include <set>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

const connect_options raw_client{.profile = profile::raw, .wait_for_server = true};

}  // namespace

THREADED_TEST_CASE("of several threads that wait for a client any may get it, whoever came first") {
  std::set<std::string> winners;
  sim::explore({.runs = 200}, [&](sim::world& world) {
    const auto alice = world.user("alice");
    world.process("server", alice, [&](process& p) {
      const auto served = *p.bind("doors", {.profile = profile::raw});
      for (const char* name : {"first", "second", "third"}) {
        p.start_thread(name, [&p, &winners, served](thread& t) {
          auto door = blocking::listen(p, served);
          if (door->accept({.within = 1s})) winners.insert(t.name());
          return 0;
        });
      }
      return p.join();
    });
    world.process("client", alice, [](process& p) {
      p.sleep(1ms);  // all of them wait
      return blocking::connect(p, "doors", raw_client) ? 0 : 1;
    });
  });
  CHECK(winners == std::set<std::string>{"first", "second", "third"});
}

THREADED_TEST_CASE("others may come between a write and the close behind it") {
  std::set<bool> still_open;
  sim::explore({.runs = 200}, [&](sim::world& world) {
    const auto alice = world.user("alice");
    world.process("server", alice, [&](process& p) {
      const auto served = *p.bind("brief", {.profile = profile::raw});
      auto client = blocking::listen(p, served)->accept();
      buffer word;
      static_cast<void>(client->receive(word));
      still_open.insert(client->send("answer").has_value());
      return 0;
    });
    world.process("client", alice, [](process& p) {
      return p.run([](runtime& rt) -> task<int> {
        auto server = co_await rt.connect("brief", raw_client);
        if (!server) co_return 1;
        const auto sent = co_await server->send("word");
        co_return sent ? 0 : 1;
      });
    });
  });
  CHECK(still_open == std::set{false, true});
}

THREADED_TEST_CASE(
    "a process may be killed when it has done all that it wants as a client, and still acts as it") {
  bool acts = false;
  std::set<bool> acted;
  sim::explore({.runs = 400}, [&](sim::world& world) {
    acts = false;
    const auto root = world.user("root", sim::privileged);
    sim::hosted& server = world.process("server", root,
                                        [&](process& p) {
                                          for (int i = 0; i < 10; ++i) {
                                            static_cast<void>(p.twin().impersonator().enter(p.self()));
                                            acts = true;
                                            p.twin().impersonator().revert();
                                            acts = false;
                                          }
                                          return 0;
                                        },
                                        {.background = true});
    world.process("killer", root, [&](process&) {
      acted.insert(acts);
      server.kill();
      return 0;
    });
  });
  CHECK(acted == std::set{false, true});
}

THREADED_TEST_CASE("what a killed process had is closed in any order") {
  bool second_went_first = false;
  sim::explore({.runs = 400}, [&](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& server = world.process("server", alice,
                                        [](process& p) {
                                          auto served = p.bind("two", {.profile = profile::raw});
                                          auto door = blocking::listen(p, *served);
                                          const auto first = door->accept(), second = door->accept();
                                          p.sleep(1h);
                                          return 0;
                                        },
                                        {.background = true});
    world.process("client", alice, [&](process& p) {
      auto first = blocking::connect(p, "two", raw_client), second = blocking::connect(p, "two", raw_client);
      p.sleep(1s);
      const bool second_ended = !second->send("x");
      if (second_ended && first->send("x")) second_went_first = true;
      return 0;
    });
    world.process("killer", alice, [&server](process& p) {
      p.sleep(1s);
      server.kill();
      return 0;
    });
  });
  CHECK(second_went_first);
}

THREADED_TEST_CASE("a new process may have the pid of one that has ended, and has a new one usually") {
  std::set<std::uint32_t> pids;
  const auto restart = [&](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& server = world.process("server", alice, [&](process& p) {
      pids.insert(p.self().pid.value);
      return 0;
    });
    world.process("operator", alice, [&server](process& p) {
      p.sleep(1s);
      server.restart();
      p.sleep(1s);
      return 0;
    });
  };
  sim::world quiet;
  restart(quiet);
  CHECK(quiet.run() == sim::run_end::finished);
  CHECK(pids == std::set<std::uint32_t>{1000, 1002});
  std::set<std::set<std::uint32_t>> seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    pids.clear();
    sim::explore({.runs = 1, .first_seed = seed}, restart);
    seen.insert(pids);
  }
  CHECK(seen == std::set<std::set<std::uint32_t>>{{1000}, {1000, 1002}});
}

THREADED_TEST_CASE("whoever asks again and again whether a process has exited lets others go on") {
  const auto seen = sim::explore({.runs = 50, .most_steps = 20'000}, [](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& server = world.process("server", alice,
                                        [](process& p) {
                                          const auto served = *p.bind("one", {.profile = profile::raw});
                                          auto door = blocking::listen(p, served);
                                          if (!door) return 1;  // it was killed before
                                          const auto client = door->accept();
                                          event never_set(p);
                                          never_set.wait();
                                          return client ? 0 : 1;
                                        },
                                        {.background = true});
    world.process("client", alice, [&server](process& p) {
      const auto connected = blocking::connect(p, "one", raw_client);
      p.start_thread("killer", [&](thread&) { return server.kill(), 0; });
      while (!connected->peer().process->exited()) continue;
      return p.join();
    });
  });
  CHECK(seen.runs == 50);
}

}  // namespace tp::programs
