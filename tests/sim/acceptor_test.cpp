// Backlogs, acceptors and the withdrawal of a name.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

namespace {

struct served {
  sim::world world;
  sim::user_id user = world.user("alice");
  host server{world, "server", user}, client{world, "client", user};
  std::shared_ptr<bound_name> name = server.bind("job", 1);
};

}  // namespace

TEST_CASE("a backlog of n admits n and one more clients, the next is told busy") {
  served s;
  const auto first = s.client.connect("job"), second = s.client.connect("job");
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(s.client.connect("job"));
  CHECK(s.client.code == errc::busy);
  const auto acceptor = s.server.open(s.name);
  accepting op;
  REQUIRE(acceptor->accept(op) == start::done);
  CHECK(s.client.connect("job"));
}

TEST_CASE("clients are accepted in the order in which they came") {
  served s;
  const auto acceptor = s.server.open(s.name);
  std::vector<stream_ptr> clients;
  for (const auto* text : {"1", "2"}) {
    clients.push_back(s.client.attach(s.client.connect("job")));
    duplex::put(*clients.back(), text);
  }
  for (const auto* text : {"1", "2"}) {
    accepting op;
    REQUIRE(acceptor->accept(op) == start::done);
    const auto stream = s.server.attach(std::move(op.stream));
    reading read;
    REQUIRE(stream->read(read) == start::done);
    CHECK(read.text() == text);
  }
}

TEST_CASE("each client goes to one of several acceptors") {
  served s;
  const auto one = s.server.open(s.name), two = s.server.open(s.name);
  accepting a, b;
  REQUIRE(one->accept(a) == start::pending);
  REQUIRE(two->accept(b) == start::pending);
  const auto client = s.client.connect("job");
  s.server.poll();
  CHECK(a.completions + b.completions == 1);
  const auto next = s.client.connect("job");
  s.server.poll();
  CHECK(a.completions == 1);
  CHECK(b.completions == 1);
  CHECK(b.stream);
}

TEST_CASE("an accept can be cancelled, ends at its deadline, and its acceptor's close ends it") {
  served s;
  const auto acceptor = s.server.open(s.name);
  accepting stopped, late, closed;
  REQUIRE(acceptor->accept(stopped) == start::pending);
  acceptor->cancel(stopped);
  s.server.poll();
  CHECK(stopped.code() == errc::cancelled);
  late.deadline = time_point{} + 1s;
  REQUIRE(acceptor->accept(late) == start::pending);
  s.server.system->turn(never);
  CHECK(late.code() == errc::timed_out);
  REQUIRE(acceptor->accept(closed) == start::pending);
  acceptor->close();
  s.server.poll();
  CHECK(closed.code() == errc::closed);
  CHECK(s.client.connect("job"));
}

TEST_CASE("a client that left before the accept is accepted with its bytes") {
  served s;
  auto client = s.client.attach(s.client.connect("job"));
  duplex::put(*client, "gone");
  client.reset();
  accepting op;
  REQUIRE(s.server.open(s.name)->accept(op) == start::done);
  CHECK(op.stream->peer().uid.value == s.user.uid);
  const auto stream = s.server.attach(std::move(op.stream));
  reading data, end;
  REQUIRE(stream->read(data) == start::done);
  CHECK(data.text() == "gone");
  REQUIRE(stream->read(end) == start::done);
  CHECK(end.n == 0);
  CHECK(duplex::put(*stream, "x") == errc::broken_pipe);
}

TEST_CASE("a withdrawn name ends its backlog and its accepts") {
  served s;
  const auto acceptor = s.server.open(s.name);
  const auto client = s.client.attach(s.client.connect("job"));
  accepting op;
  const auto other = s.server.open(s.name);
  (void)s.client.connect("job");
  reading pending_read;
  REQUIRE(client->read(pending_read) == start::pending);
  s.name->withdraw();
  s.name->withdraw();
  s.client.poll();
  CHECK(pending_read.code() == errc::none);
  CHECK(pending_read.n == 0);
  CHECK(duplex::put(*client, "x") == errc::broken_pipe);
  REQUIRE(acceptor->accept(op) == start::done);
  CHECK(op.code() == errc::closed);
  CHECK_FALSE(s.client.connect("job"));
  CHECK(s.client.code == errc::not_found);
  CHECK(s.server.system->open(s.name).error() == errc::closed);
}

TEST_CASE("a withdrawal resets the clients that wrote, a death all of them") {
  for (const bool dies : {false, true}) {
    served s;
    const auto wrote = s.client.attach(s.client.connect("job")),
               silent = s.client.attach(s.client.connect("job"));
    duplex::put(*wrote, "hello");
    dies ? s.world.kill(*s.server.process) : s.name->withdraw();
    reading of_wrote, of_silent;
    REQUIRE(wrote->read(of_wrote) == start::done);
    REQUIRE(silent->read(of_silent) == start::done);
    CHECK(of_wrote.code() == errc::connection_reset);
    CHECK(of_silent.code() == (dies ? errc::connection_reset : errc::none));
    CHECK(of_silent.n == 0);
  }
}

TEST_CASE("who waits in the backlog of a server that dies is reset once, and can't write any more") {
  served s;
  const auto silent = s.client.attach(s.client.connect("job"));
  reading waits, again;
  waiting drain;
  REQUIRE(silent->read(waits) == start::pending);
  s.world.kill(*s.server.process);
  s.client.poll();
  CHECK(waits.code() == errc::connection_reset);
  CHECK(duplex::put(*silent, "x") == errc::broken_pipe);
  REQUIRE(silent->read(again) == start::done);
  CHECK(again.code() == errc::none);
  CHECK(again.n == 0);
  REQUIRE(silent->drain(drain) == start::done);
  CHECK(drain.code() == errc::connection_reset);
}

TEST_CASE("a server that dies with a full backlog leaves no client behind") {
  served s;
  const auto first = s.client.connect("job"), second = s.client.connect("job");
  CHECK_FALSE(s.client.connect("job"));
  s.world.kill(*s.server.process);
  CHECK_FALSE(s.client.connect("job"));
  CHECK(s.client.code == errc::not_found);
}

TEST_CASE("the last reference to a name withdraws it, and its place is free again") {
  served s;
  const auto acceptor = s.server.open(s.name);
  accepting op;
  REQUIRE(acceptor->accept(op) == start::pending);
  s.name.reset();
  s.server.poll();
  CHECK(op.code() == errc::closed);
  CHECK(s.server.bind("job"));
}

TEST_CASE("an acceptor may be released inside its own completion") {
  served s;
  auto acceptor = s.server.open(s.name);
  accepting op;
  REQUIRE(acceptor->accept(op) == start::pending);
  op.then = [&] { acceptor.reset(); };
  const auto client = s.client.connect("job");
  s.server.poll();
  CHECK(op.stream);
}

}  // namespace tp::test
