// What a scenario can't mean: it is refused where it is said, with what to do instead.
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

int do_nothing(process&) {
  return 0;
}

std::string failure_in(const sim::scenario& what) {
  try {
    sim::explore({.runs = 1}, what);
  } catch (const sim::exploration_failed& failed) {
    return failed.why();
  }
  return {};
}

}  // namespace

THREADED_TEST_CASE("hosts have names of their own, and so have the programs of a host") {
  sim::world world;
  auto& north = world.add_host("north");
  CHECK_THROWS_WITH(world.add_host("north"),
                    "world::add_host: there is a host 'north' already; give each a name of its own");
  CHECK_THROWS_WITH(world.add_host(""), Catch::Contains("the name is empty"));
  const auto alice = world.user("alice");
  world.process("client", alice, do_nothing);
  CHECK_THROWS_WITH(
      world.process("client", alice, do_nothing),
      "process 'client': the world's own host has a program of that name; reports and rules for faults "
      "go by it, so give each its own");
  CHECK_NOTHROW(north.process("client", north.user("alice"), do_nothing));
  CHECK(world.run() == sim::run_end::finished);
}

TEST_CASE("a path of a world is absolute and plain, and nothing is beneath a file") {
  sim::world world;
  const auto refused = [&](const std::string& path, const char* why) {
    CHECK_THROWS_WITH(world.file(path, {}),
                      Catch::StartsWith("file '" + path + "': ") && Catch::Contains(why));
  };
  refused("srv/data", "it is not absolute; write it as /a/b");
  refused("", "it is not absolute");
  refused("/srv//data", "a part of it is empty");
  refused("/srv/", "a part of it is empty");
  refused("/srv/../data", "no . and ..");
  refused("/tmp", "there is a directory of that name");
  world.file("/srv/data", {});
  refused("/srv/data/more", "'/srv/data' is a file, so nothing can be beneath it");
  CHECK_THROWS_WITH(world.directory("/srv/data", {}), Catch::Contains("there is a file of that name"));
  CHECK_NOTHROW(world.file("/srv/data", {.contents = "again"}));
  CHECK_NOTHROW(world.directory("/", {.mode = 0700}));
}

TEST_CASE("the root of all files is a directory like others") {
  sim::world world;
  const auto root = world.user("root", sim::privileged), alice = world.user("alice");
  world.file("/data", {.owner = alice, .contents = "hers"});
  world.directory("/", {.owner = root, .mode = 0700});
  const test::host shut_out(world, "reader", alice);
  CHECK(shut_out.process->files().read(nullptr, "/data", 99).error() == errc::access_denied);
}

THREADED_TEST_CASE("a user of one host is nobody on another") {
  sim::world world;
  auto& north = world.add_host("north");
  const auto alice = world.user("alice");
  CHECK_THROWS_WITH(
      north.process("client", alice, do_nothing),
      "process 'client': the user alice is one of the world's own host, and not of the host north; make "
      "the user there, too");
  CHECK_THROWS_WITH(north.file("/f", {.owner = alice}), Catch::StartsWith("file '/f': the user alice"));
  CHECK_THROWS_WITH(north.make_process("client", alice), Catch::Contains("make the user there, too"));
  CHECK_THROWS_WITH(world.make_process("client", {77}),
                    "process 'client': the world's own host has no user with uid 77; make one by user()");
}

THREADED_TEST_CASE("two privileged users of a host are two, with names and groups of their own") {
  sim::world world;
  const auto root = world.user("root", sim::privileged, {7}), toor = world.user("toor", sim::privileged, {8});
  world.process("one", root, [](process& p) { return p.twin().self().in_group(7) ? 0 : 1; });
  world.process("two", toor, [](process& p) { return p.twin().self().in_group(8) ? 0 : 1; });
  CHECK(world.run() == sim::run_end::finished);
  CHECK_THAT(world.recent_events(), Catch::Contains("one/main (root)") && Catch::Contains("two/main (toor)"));
}

THREADED_TEST_CASE("a rule for faults in a process that there never was fails the exploration") {
  const auto rule_for = [](const char* name) {
    return failure_in([name](sim::world& world) {
      world.process("client", world.user("alice"), do_nothing);
      world.add_faults(sim::at_act(sim::act::read, name, 1, {.fails = errc::io_error}));
    });
  };
  CHECK_THAT(rule_for("clinet"),
             Catch::StartsWith("a rule for faults is about the process 'clinet', and there was "
                               "none of that name"));
  CHECK(rule_for("client").empty());
}

THREADED_TEST_CASE("a program that runs can't be restarted, and whoever tries is told") {
  const auto why = failure_in([](sim::world& world) {
    const auto alice = world.user("alice");
    auto& server = world.process("server", alice, [](process& p) { return p.sleep(1s), 0; });
    world.process("operator", alice, [&server](process&) { return server.restart(), 0; });
  });
  CHECK(why ==
        "the program 'operator' failed: an exception left it: restart of 'server', which runs: kill() it "
        "first, "
        "or wait until it has a result()");
}

}  // namespace tp::programs
