// What a world shows of itself: all that it has, in lines that one can read.
#include <catch2/catch.hpp>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

void check_lines(const std::string& dump, std::initializer_list<const char*> lines) {
  for (const char* line : lines) CHECK_THAT(dump, Catch::Contains(line));
}

}  // namespace

TEST_CASE("a dump shows each host's users, files and directories") {
  sim::world world;
  world.user("root", sim::privileged);
  const auto alice = world.user("alice");
  const auto bob = world.user("bob", {}, {50, 51});
  world.file("/srv/secret", {.owner = alice, .group = 50, .mode = 0640, .contents = "twelve bytes"});
  world.directory("/var/box", {.owner = bob, .group = 1001, .mode = 02770});
  world.add_host("north").user("carol");
  check_lines(world.dump(), {
                                "time 0.000000s, after 0 steps\nhost (the world's own)\n",
                                "  user root, uid 0, privileged\n",
                                "  user alice, uid 1000\n",
                                "  user bob, uid 1001, also in group 50, 51\n",
                                "  directory /, root's, group 0, mode 0755\n",
                                "  directory /srv, root's, group 0, mode 0755\n",
                                "  file /srv/secret, alice's, group 50, mode 0640, 12 bytes\n",
                                "  directory /tmp, root's, group 0, mode 1777\n",
                                "  directory /var/box, bob's, group 1001, mode 2770\n",
                                "host north\n  user carol, uid 1000\n",
                            });
}

TEST_CASE("a dump shows names with who waits there, processes without a program, and what they have open") {
  test::duplex pair;
  const auto another = pair.client.connect("pair");
  test::reading op;
  REQUIRE(pair.near->read(op) == backend::start::pending);
  REQUIRE(test::duplex::put(*pair.near, "hello") == errc::none);
  check_lines(
      pair.world.dump(),
      {
          "  name /run/user/1000/twinpipe/pair: server, pid 1000, has it: 1 wait in its backlog of 16, "
          "1 are in use, 1 to listen\n",
          "  process server, pid 1000 (alice), without a program\n",
          "    has connection 6 with pid 1001, with 5 bytes to read\n",
          "    has connection 5 with pid 1000, where it waits to read\n",
      });
  pair.near->close();
  pair.client.poll();
}

TEST_CASE("a dump shows the sockets that dead servers have left, and whom a process acts as") {
  sim::world world;
  const auto alice = world.user("alice"), root = world.user("root", sim::privileged);
  test::host server(world, "server", alice), other(world, "other", root);
  const auto name = server.bind("gone");
  world.kill(*server.process);
  REQUIRE(other.process->impersonator().enter(server.process->self()));
  check_lines(world.dump(), {
                                "  socket /run/user/1000/twinpipe/gone, left behind by a server of alice\n",
                                "  process other, pid 1001 (root), without a program, acts as alice\n",
                            });
  CHECK_THAT(world.dump(), !Catch::Contains("process server"));
  other.process->impersonator().revert();
}

TEST_CASE("a dump shows what is due, and when") {
  sim::world world;
  test::host sleeper(world, "sleeper", world.user("alice"));
  test::waiting later, sooner;
  later.deadline = time_point(90s);
  sooner.deadline = time_point(1500ms);
  REQUIRE(sleeper.system->sleep(later) == backend::start::pending);
  REQUIRE(sleeper.system->sleep(sooner) == backend::start::pending);
  check_lines(world.dump(), {"due at 1.500000s: to sleep at a runtime of sleeper, pid 1000\n"
                             "due at 90.000000s: to sleep at a runtime of sleeper, pid 1000\n"});
  for (test::waiting* each : {&later, &sooner}) sleeper.system->cancel(*each);
  while (later.pending() || sooner.pending()) sleeper.poll();
}

THREADED_TEST_CASE("a dump shows programs and what their threads wait for, since when") {
  sim::world world;
  const auto alice = world.user("alice"), root = world.user("root", sim::privileged);
  std::string seen;
  auto& server = world.process("server", root, [](process& p) {
    const auto served = p.bind("echo", {.access = access_policy::everyone_local()});
    auto client = blocking::listen(p, *served)->accept();
    return client->run_as_client([&] { p.sleep(5s); }) ? 0 : 1;
  });
  world.process("client", alice, [&](process& p) {
    auto server_end =
        blocking::connect(p, "echo", {.level = impersonation_level::impersonation, .wait_for_server = true});
    mutex held(p);
    held.lock();
    p.start_thread("second", [&](thread&) { return held.lock(), held.unlock(), 0; });
    p.sleep(1ms);
    server.pause();
    seen = world.dump();
    server.resume();
    held.unlock();
    return p.join();
  });
  CHECK(world.run() == sim::run_end::finished);
  check_lines(seen,
              {
                  "  process server, pid 1000 (root), paused\n",
                  "    thread server/main (root) waits for its time to come, since ",
                  ", acts as alice\n",
                  "    thread client/main (alice) can go on\n",
                  "    thread client/second (alice) waits for a mutex that client/main (alice) holds, since ",
                  "program client: runs\n",
                  "s: server/main (root)\n",
              });
  CHECK_THAT(world.dump(), Catch::Contains("program client: returned 0\n"));
}

THREADED_TEST_CASE("a dump tells of nothing that has been closed, though it is still there") {
  sim::world world;
  const auto alice = world.user("alice");
  world.process("closed", alice, [&](process& p) {
    const auto served =
        p.twin().names().bind({.name = *endpoint_name::parse("gone"), .runtime_directory = {}});
    (*served)->withdraw();
    p.log(world.dump());
    return 0;
  });
  CHECK(world.run() == sim::run_end::finished);
  CHECK_THAT(world.trace().front(),
             Catch::Contains("process closed, pid 1000 (alice)\n") && !Catch::Contains("gone"));
}

}  // namespace tp::programs
