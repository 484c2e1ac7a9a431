// Bytes that are accepted are delivered or thrown away, operations complete once, and connections in use are
// no more than their name may have: each with an error planted that a world must find.
#include <catch2/catch.hpp>

#include "rig.hpp"
#include "sim/planted.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Why a run fails in which a client writes twelve bytes to a server that then does this.
std::string why_lost(std::function<void(process&, blocking::connection&)> server_does,
                     bool background = false) {
  const auto server = [&](process& p) {
    auto served = p.bind("bytes", {.profile = profile::raw});
    auto door = blocking::listen(p, *served);
    auto client = door->accept();
    p.sleep(1ms);  // what the client has to say is there
    server_does(p, *client);
    return 0;
  };
  try {
    sim::explore({.runs = 20}, [&](sim::world& world) {
      const auto alice = world.user("alice");
      world.process("server", alice, server, {.background = background});
      world.process("client", alice, [](process& p) {
        auto at = blocking::connect(p, "bytes", {.profile = profile::raw, .wait_for_server = true});
        return at && at->send("twelve bytes") && (p.sleep(1s), true) ? 0 : 1;
      });
    });
  } catch (const sim::exploration_failed& failed) {
    return failed.why();
  }
  return "";
}

}  // namespace

THREADED_TEST_CASE("a byte that was accepted and is not delivered is found by the next read") {
  const auto why = why_lost([](process& p, blocking::connection& client) {
    REQUIRE(sim::planted::lose_byte(p.twin()));
    buffer into;
    static_cast<void>(client.receive(into));
  });
  CHECK_THAT(why, Catch::Contains(": 12 bytes accepted, 11 delivered, 0 unread"));
}

THREADED_TEST_CASE(
    "a byte that was accepted and is neither delivered nor thrown away is found at the close") {
  const auto lose = [](process& p, blocking::connection&) { REQUIRE(sim::planted::lose_byte(p.twin())); };
  CHECK_THAT(why_lost(lose), Catch::Contains(": 12 bytes accepted, 0 delivered, 11 discarded"));
}

THREADED_TEST_CASE("a byte that was lost is found at the end of the run, too, if nobody reads or closes") {
  const auto lose_and_stay = [](process& p, blocking::connection&) {
    REQUIRE(sim::planted::lose_byte(p.twin()));
    p.sleep(1h);
  };
  CHECK_THAT(why_lost(lose_and_stay, true), Catch::Contains(": 12 bytes accepted, 0 delivered, 11 unread"));
}

THREADED_TEST_CASE("bytes that are thrown away with the end at which they were unread are no loss") {
  CHECK(why_lost([](process&, blocking::connection&) {}) == "");
  CHECK(why_lost([](process& p, blocking::connection&) { p.sleep(1h); }, true) == "");
}

}  // namespace tp::programs

namespace tp::test {

using namespace backend;

TEST_CASE("a write that tells of fewer bytes than were accepted is found") {
  duplex pair;
  writing large(std::string(300'000, 'x'));
  REQUIRE(pair.near->write(large) == start::pending);
  REQUIRE(large.n > 10);
  large.n -= 10;
  pair.near->close();
  pair.client.poll();
  pair.near.reset();
  CHECK_THAT(pair.world.failure(), Catch::Contains(": its operations to write told of ") &&
                                       Catch::Contains(" bytes fewer than they moved"));
}

TEST_CASE(
    "bytes that a close throws away are a reset to their writer, and if it isn't told so that is found") {
  duplex pair;
  REQUIRE(duplex::put(*pair.near, "unread") == errc::none);
  pair.far->close();
  CHECK(pair.take(*pair.near) == "reset");
  CHECK(pair.take(*pair.near) == "end");
  CHECK(pair.world.failure() == "");
  duplex quiet;
  REQUIRE(duplex::put(*quiet.near, "unread") == errc::none);
  quiet.far->close();
  REQUIRE(sim::planted::forget_reset(*quiet.client.process));
  CHECK(quiet.take(*quiet.near) == "end");
  CHECK_THAT(quiet.world.failure(),
             Catch::Contains(": its peer has thrown away what it was sent, and a reader "
                             "is told the end, not a reset"));
}

TEST_CASE("a drain that succeeds though its bytes were thrown away is found, a client's in a backlog too") {
  sim::world world;
  const host server(world, "server", world.user("alice"));
  host client(world, "client", {1000});
  auto name = server.bind("busy");
  const auto waits = client.attach(client.connect("busy"));
  REQUIRE(duplex::put(*waits, "unread") == errc::none);
  name->withdraw();
  waiting drain;
  REQUIRE(waits->drain(drain) == start::done);
  CHECK(drain.code() == errc::connection_reset);
  REQUIRE(sim::planted::forget_reset(*client.process));
  REQUIRE(waits->drain(drain) == start::done);
  CHECK_THAT(world.failure(),
             Catch::Contains(": its peer has thrown away what it was sent, and a drain is told "
                             "that all was read, not a reset"));
}

TEST_CASE("an operation that would complete twice is found") {
  duplex pair;
  reading op;
  REQUIRE(pair.near->read(op) == start::pending);
  REQUIRE_FALSE(sim::planted::complete_twice(*pair.client.process));
  REQUIRE(duplex::put(*pair.far, "x") == errc::none);
  REQUIRE(sim::planted::complete_twice(*pair.client.process));
  while (op.completions == 0) pair.client.poll();
  pair.client.poll();
  CHECK(op.completions == 1);
  CHECK_THAT(pair.world.failure(),
             Catch::Contains("an operation was about to complete twice: the one to read at "
                             "connection ") &&
                 Catch::EndsWith(" of client, pid 1001"));
}

TEST_CASE("an operation that was started again isn't completed by what was left of its last time") {
  duplex pair;
  reading op;
  op.then = [&] {
    if (op.completions == 1) REQUIRE(pair.near->read(op) == start::pending);
  };
  REQUIRE(pair.near->read(op) == start::pending);
  REQUIRE(duplex::put(*pair.far, "x") == errc::none);
  REQUIRE(sim::planted::complete_twice(*pair.client.process));
  while (op.completions == 0) pair.client.poll();
  pair.client.poll();
  CHECK(op.completions == 1);
  CHECK_THAT(pair.world.failure(), Catch::Contains("an operation was about to complete twice"));
  pair.near->close();
  pair.client.poll();
}

TEST_CASE("more connections in use than their name may have are found, whoever counted wrong") {
  sim::world world;
  const auto alice = world.user("alice");
  const host server(world, "server", alice);
  host client(world, "client", alice);
  auto wanted = request("two", access_policy::audience::same_user);
  wanted.max_instances = 2;
  const auto name = server.try_bind(wanted);
  REQUIRE(name);
  const auto door = server.open(*name);
  std::vector<stream_ptr> used;
  for (int i = 0; i < 3; ++i) {
    const auto waits = client.connect("two");
    accepting op;
    REQUIRE(door->accept(op) == start::done);
    if (i == 1) used.clear();  // its instance is free again
    CHECK(world.failure() == "");
    used.push_back(server.attach(std::move(op.stream)));
  }
  CHECK(world.failure() == "");
  static_cast<void>(client.connect("two"));
  accepting third;
  REQUIRE(door->accept(third) == start::done);
  const auto half_open = server.system->attach(std::move(third.stream), attachment::half_open);
  CHECK(world.failure() == "");
  used.push_back(server.attach((*half_open)->detach()));
  CHECK(world.failure() == "'/run/user/1000/twinpipe/two' has 3 instances in use, and max_instances is 2");
}

}  // namespace tp::test
