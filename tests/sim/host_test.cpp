// Several hosts in one world.
#include "twinpipe/sim/host.hpp"
#include "threaded_case.hpp"

#include <catch2/catch.hpp>

#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Serves for ever, one client after the other, with a word.
sim::program server_that_says(std::string word) {
  return [word = std::move(word)](process& p) {
    auto served = p.bind("word");
    if (!served) return p.fail(served.error());
    auto door = blocking::listen(p, *served);
    if (!door) return p.fail(door.error());
    while (true) {
      auto client = door->accept();
      if (!client) return p.fail(client.error());
      static_cast<void>(client->send(word));
      static_cast<void>(client->close());
    }
  };
}

std::string word_heard(process& p) {
  auto server = blocking::connect(p, "word", {.wait_for_server = true}, {.within = 1s});
  if (!server) return std::string(to_string(server.error().code()));
  std::string heard;
  buffer into;
  while (true) {
    const auto got = server->receive(into);
    if (!got || got->end) return heard;
    heard += into.text();
  }
}

sim::program client_that_hears(std::string word) {
  return [word = std::move(word)](process& p) {
    const std::string heard = word_heard(p);
    if (heard != word) p.log("heard: " + heard);
    return heard == word ? 0 : 1;
  };
}

}  // namespace

THREADED_TEST_CASE("two hosts bind the same name, and each client finds the one of its own host") {
  sim::explore({.runs = 100}, [](sim::world& world) {
    for (const char* name : {"north", "south"}) {
      sim::host& on = world.add_host(name);
      const auto alice = on.user("alice");
      on.process("server", alice, server_that_says(name), {.background = true});
      on.process("client", alice, client_that_hears(name));
    }
  });
}

THREADED_TEST_CASE("a name that is bound on another host only isn't found") {
  sim::explore({.runs = 50}, [](sim::world& world) {
    sim::host& far = world.add_host("far");
    far.process("server", far.user("alice"), server_that_says("hello"), {.background = true});
    world.process("client", world.user("alice"), [](process& p) {
      p.sleep(1s);
      const auto server = blocking::connect(p, "word");
      return !server && server.error() == errc::not_found ? 0 : 1;
    });
  });
}

THREADED_TEST_CASE("users, pids and files of a host are its own, and reports name the host") {
  sim::world world;
  sim::host& far = world.add_host("far");
  const auto alice = world.user("alice"), bob = far.user("bob");
  CHECK(alice.uid == bob.uid);
  far.file("/etc/motd", {.owner = bob, .contents = "far away"});
  const auto here = world.make_process("here", alice), there = far.make_process("there", bob);
  CHECK(here->self().pid.value == there->self().pid.value);
  CHECK(here->files().read(nullptr, "/etc/motd", 99).error() == errc::not_found);
  CHECK(there->files().read(nullptr, "/etc/motd", 99).value() == "far away");
  there->log("hello");
  CHECK(world.trace() == std::vector<std::string>{"far:there, pid 1000: hello"});
  far.process("failing", bob, [](process&) { return 1; });
  CHECK(world.run() == sim::run_end::failed);
  CHECK(world.failure() == "the program 'far:failing' returned 1");
  CHECK_THAT(world.recent_events(), Catch::Contains("far:failing/main (bob)"));
}

THREADED_TEST_CASE("a host may crash at any moment, others go on, and after its restart it is found again") {
  sim::explore({.runs = 300}, [](sim::world& world) {
    sim::host& far = world.add_host("far");
    const auto bob = far.user("bob");
    far.process("server", bob, server_that_says("far"), {.background = true});
    far.process("client", bob, [](process& p) {
      for (std::string heard; heard != "far";) heard = word_heard(p);
      return 0;
    });
    const auto alice = world.user("alice");
    world.process("server", alice, server_that_says("here"), {.background = true});
    world.process("client", alice, client_that_hears("here"));
    world.process("power", alice, [&](process& p) {
      for (auto moment = world.choose(40); moment > 0; --moment) p.sleep(0ns);
      far.crash();
      if (world.choose(2) != 0) p.sleep(1s);
      far.restart();
      return 0;
    });
  });
}

THREADED_TEST_CASE("processes of a host that crashes don't see each other's end") {
  sim::explore({.runs = 200}, [](sim::world& world) {
    sim::host& far = world.add_host("far");
    const auto bob = far.user("bob");
    far.process("server", bob, server_that_says("far"), {.background = true});
    far.process("client", bob, [](process& p) {
      auto server = blocking::connect(p, "word", {.profile = profile::raw, .wait_for_server = true});
      buffer nothing;
      const auto got = server->receive(nothing);  // says no hello, so it waits until the server is gone
      return got ? 1 : 2;
    });
    world.process("power", world.user("alice"), [&far](process& p) {
      p.sleep(1s);
      far.crash();
      return 0;
    });
  });
}

THREADED_TEST_CASE("a process may crash its own host, and goes with it") {
  bool went_on = false;
  sim::explore({.runs = 50}, [&](sim::world& world) {
    sim::host& far = world.add_host("far");
    const auto root = far.user("root", sim::privileged);
    far.process("server", root, server_that_says("far"), {.background = true});
    far.process("clumsy", root, [&](process& p) {
      far.crash();
      p.sleep(1ms);
      went_on = true;
      return 1;
    });
    world.process("other", world.user("alice"), [](process& p) { return p.sleep(1s), 0; });
  });
  CHECK_FALSE(went_on);
}

}  // namespace tp::programs
