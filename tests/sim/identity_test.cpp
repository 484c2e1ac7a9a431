// Identities of peers, impersonation, and the death of processes.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

TEST_CASE("each end sees the other's user, groups and process by the kernel's word") {
  sim::world world;
  const auto alice = world.user("alice", sim::privilege::none, {7, 8});
  const host server(world, "server", world.user("root", sim::privileged));
  host client(world, "client", alice);
  const auto bound = server.bind("/run/x");
  CHECK_FALSE(client.connect("/run/x"));
  auto open = request("/run/y", access_policy::audience::everyone_local);
  const auto wide = server.try_bind(open);
  REQUIRE(wide);
  const auto near = client.connect("/run/y");
  accepting op;
  REQUIRE(server.open(*wide)->accept(op) == start::done);
  CHECK(near->peer().is_superuser());
  CHECK(op.stream->peer().to_string() == "uid 1000, gid 1000, pid 1001");
  CHECK(op.stream->peer().in_group(8));
  CHECK(op.stream->peer().pid.level == trust::advisory);
  CHECK(op.stream->peer().same_user(client.process->self()));
}

TEST_CASE("root may act as anyone, others only as themselves and with no more groups than the peer") {
  sim::world world;
  const auto root = world.user("root", sim::privileged), alice = world.user("alice"), bob = world.user("bob");
  const host server(world, "server", root), hers(world, "hers", alice), his(world, "his", bob);
  CHECK(server.process->impersonator().check(hers.process->self()));
  CHECK(hers.process->impersonator().check(hers.process->self()));
  CHECK(hers.process->impersonator().check(his.process->self()).error() == errc::impersonation_denied);
  CHECK(hers.process->impersonator().check(server.process->self()).error() == errc::impersonation_denied);
  CHECK(server.process->impersonator().check(identity{}).error() == errc::impersonation_denied);
  identity groupless = hers.process->self();
  groupless.groups.level = trust::unknown;
  CHECK(server.process->impersonator().check(groupless).error() == errc::impersonation_denied);
  identity fewer = hers.process->self();
  fewer.gid.value = 4711;
  CHECK(hers.process->impersonator().check(fewer).error() == errc::impersonation_denied);
}

TEST_CASE("only root's process says that it can act for others, and none has a handle of itself") {
  sim::world world;
  const auto root = world.make_process("root's", world.user("root", sim::privileged));
  const auto other = world.make_process("other's", world.user("alice"));
  CHECK(root->features().impersonation);
  CHECK_FALSE(other->features().impersonation);
  CHECK(other->self().process == nullptr);
}

TEST_CASE("an impersonation doesn't nest, and ends with revert") {
  sim::world world;
  const host server(world, "server", world.user("root", sim::privileged));
  const host client(world, "client", world.user("alice"));
  auto& acting = server.process->impersonator();
  REQUIRE(acting.enter(client.process->self()));
  CHECK(acting.active());
  CHECK(acting.enter(client.process->self()).error() == errc::operation_in_progress);
  CHECK(acting.active());
  acting.revert();
  CHECK_FALSE(acting.active());
  CHECK(acting.enter(client.process->self()));
}

TEST_CASE("a connection made while impersonating shows the impersonated user, for good") {
  sim::world world;
  const auto alice = world.user("alice");
  const host hers(world, "hers", alice);
  host broker(world, "broker", world.user("root", sim::privileged));
  const auto bound = hers.bind("/run/x");
  REQUIRE(broker.process->impersonator().enter(hers.process->self()));
  const auto near = broker.connect("/run/x");
  broker.process->impersonator().revert();
  accepting op;
  REQUIRE(hers.open(bound)->accept(op) == start::done);
  CHECK(op.stream->peer().uid.value == alice.uid);
  CHECK(op.stream->peer().pid.value == 1001);
}

TEST_CASE("a process that dies leaves an end where all was read, and a reset where not") {
  duplex pair;
  CHECK_FALSE(pair.near->peer().process->exited());
  const auto handle = pair.near->peer().process;
  duplex::put(*pair.near, "never read");
  duplex::put(*pair.far, "bye");
  pair.world.kill(*pair.server.process);
  CHECK(handle->exited());
  CHECK(duplex::put(*pair.near, "x") == errc::broken_pipe);
  reading data, reset, end;
  REQUIRE(pair.near->read(data) == start::done);
  CHECK(data.text() == "bye");
  REQUIRE(pair.near->read(reset) == start::done);
  CHECK(reset.code() == errc::connection_reset);
  REQUIRE(pair.near->read(end) == start::done);
  CHECK(end.n == 0);
  CHECK_FALSE(pair.client.connect("pair"));
  CHECK(pair.client.code == errc::not_found);
}

TEST_CASE("the operations of a dead process are forgotten, and its objects answer that it is dead") {
  duplex pair;
  reading read;
  waiting nap, task;
  nap.deadline = time_point{} + 1s;
  REQUIRE(pair.far->read(read) == start::pending);
  REQUIRE(pair.server.system->sleep(nap) == start::pending);
  pair.server.system->schedule(task);
  pair.server.process.reset();
  duplex::put(*pair.near, "x");
  CHECK(pair.client.system->turn(never) == turn_result::stalled);
  CHECK(read.completions + nap.completions + task.completions == 0);
  CHECK_FALSE(read.pending());
  reading late;
  CHECK(pair.far->read(late) == start::done);
  CHECK(late.code() == errc::process_killed);
}

TEST_CASE("a process may die inside another's completion while both have operations ready") {
  duplex pair;
  waiting first, second;
  first.then = [&] { pair.server.process.reset(); };
  pair.client.system->schedule(first);
  pair.server.system->schedule(second);
  CHECK(pair.client.system->turn(never) == turn_result::progressed);
  CHECK(second.completions == 0);
  CHECK(pair.client.system->turn(never) == turn_result::stalled);
}

TEST_CASE("clients in the backlog of a process that dies are reset") {
  sim::world world;
  const auto alice = world.user("alice");
  auto server = std::make_unique<host>(world, "server", alice);
  host client(world, "client", alice);
  auto bound = server->bind("job");
  const auto stream = client.attach(client.connect("job"));
  server.reset();
  reading op;
  REQUIRE(stream->read(op) == start::done);
  CHECK(op.code() == errc::connection_reset);
  const host next(world, "next", alice);
  const auto again = next.bind("job");
  bound.reset();
  CHECK(client.connect("job"));
}

TEST_CASE("what a process logs is in the world's trace") {
  sim::world world;
  const host h(world, "server", world.user("alice"));
  h.process->log("ready");
  CHECK(world.trace() == std::vector<std::string>{"server, pid 1000: ready"});
}

}  // namespace tp::test
