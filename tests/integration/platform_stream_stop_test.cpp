// Stopping what is pending on a stream: cancel, deadlines, close, release, detach.
#include "platform_support.hpp"

namespace tp::test {

TEST_CASE("a cancelled read completes once, later, and its bytes are the next read's") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  rig.server->cancel(in);
  rig.server->cancel(in);
  CHECK(in.completions == 0);
  rig.finish(in);
  CHECK(in.code() == errc::cancelled);
  CHECK(in.completions == 1);
  REQUIRE(write_all(rig, *rig.client, "kept") == errc::none);
  CHECK(read_some(rig, *rig.server) == "kept");
}

TEST_CASE("a cancelled write says exactly how much went, and no more of it travels") {
  connection_rig rig;
  test_write out(std::string(1 << 20, 'x'));
  REQUIRE(rig.client->write(out) == start::pending);
  rig.client->cancel(out);
  rig.finish(out);
  CHECK(out.code() == errc::cancelled);
  rig.client.reset();
  std::size_t arrived = 0;
  for (std::string part; !(part = read_some(rig, *rig.server, 1 << 16)).empty();) arrived += part.size();
  CHECK(arrived == out.n);
}

TEST_CASE("a stopped write can be continued from where it stopped") {
  connection_rig rig;
  test_write out(std::string(1 << 20, 'x'));
  out.deadline = rig.system->now();
  REQUIRE(rig.client->write(out) == start::pending);
  rig.finish(out);
  REQUIRE(out.code() == errc::timed_out);
  const std::size_t first = out.n;
  out.deadline = never;
  REQUIRE(rig.client->write(out) == start::pending);
  std::size_t arrived = 0;
  while (arrived < 1 << 20) arrived += read_some(rig, *rig.server, 1 << 16).size();
  rig.finish(out);
  CHECK(first + out.n == 1 << 20);
}

TEST_CASE("a cancel for an operation that is not pending here does nothing") {
  connection_rig rig;
  test_read idle, elsewhere;
  rig.server->cancel(idle);
  REQUIRE(rig.client->read(elsewhere) == start::pending);
  rig.server->cancel(elsewhere);
  rig.turn_once();
  CHECK(elsewhere.pending());
  REQUIRE(write_all(rig, *rig.server, "x") == errc::none);
  rig.finish(elsewhere);
  CHECK(elsewhere.code() == errc::none);
}

TEST_CASE("bytes that came before the cancel was asked for are not lost") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "x") == errc::none);
  rig.server->cancel(in);
  CHECK(in.completions == 0);
  rig.finish(in);
  CHECK(in.code() == errc::none);
  CHECK(in.text() == "x");
}

TEST_CASE("a wait for readiness and a drain that could end are not cancelled any more") {
  connection_rig rig;
  test_read readable(0);
  REQUIRE(rig.server->read(readable) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "x") == errc::none);
  test_op drained;
  REQUIRE(rig.client->drain(drained) == start::pending);
  rig.server->cancel(readable);
  rig.finish(readable);
  CHECK(readable.code() == errc::none);
  CHECK(read_some(rig, *rig.server) == "x");
  rig.client->cancel(drained);
  rig.finish(drained);
  CHECK(drained.code() == errc::none);
}

TEST_CASE("a close takes no byte that nobody is told of") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "x") == errc::none);
  rig.server->close();
  rig.finish(in);
  CHECK(in.code() == errc::closed);
  CHECK(read_code(rig, *rig.client) == errc::connection_reset);  // the byte was discarded, and the peer knows
}

TEST_CASE("an operation ends timed_out at its deadline, not before") {
  connection_rig rig;
  test_read in;
  in.deadline = rig.system->now() + 5ms;
  REQUIRE(rig.server->read(in) == start::pending);
  rig.finish(in);
  CHECK(in.code() == errc::timed_out);
  CHECK(rig.system->now() >= in.deadline);
}

TEST_CASE("data that is there wins over a deadline that has passed") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "x") == errc::none);
  test_read in;
  in.deadline = rig.system->now() - 1s;
  rig.run(rig.server->read(in), in);
  CHECK(in.text() == "x");
}

TEST_CASE("close ends pending operations on a later turn, and later starts at once") {
  connection_rig rig;
  test_read in;
  test_write out(std::string(1 << 20, 'x'));
  REQUIRE(rig.server->read(in) == start::pending);
  REQUIRE(rig.server->write(out) == start::pending);
  rig.server->close();
  rig.server->close();
  CHECK(in.completions + out.completions == 0);
  rig.finish(in);
  rig.finish(out);
  CHECK(in.code() == errc::closed);
  CHECK(out.code() == errc::closed);
  test_read late;
  CHECK(rig.server->read(late) == start::done);
  CHECK(late.code() == errc::closed);
}

TEST_CASE("what the kernel accepted stays readable after a close") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "farewell") == errc::none);
  rig.client->close();
  CHECK(read_some(rig, *rig.server) == "farewell");
}

TEST_CASE("a stream may be released inside its own completion") {
  connection_rig rig;
  test_read in;
  in.then = [&] { rig.server.reset(); };
  REQUIRE(rig.server->read(in) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "x") == errc::none);
  rig.finish(in);
  CHECK(in.text() == "x");
  CHECK(read_code(rig, *rig.client) == errc::none);
}

TEST_CASE("a stream that is released with an operation pending lives until that has completed") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  rig.server.reset();
  rig.finish(in);
  CHECK(in.code() == errc::closed);
}

TEST_CASE("a completion may cancel, close and start on its own stream") {
  connection_rig rig;
  test_read first, second;
  test_write large(std::string(1 << 20, 'x'));
  first.then = [&] {
    rig.server->cancel(large);
    CHECK(rig.server->read(second) == start::pending);
    rig.server->close();
  };
  REQUIRE(rig.server->write(large) == start::pending);
  REQUIRE(rig.server->read(first) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "go") == errc::none);
  rig.turn_until([&] { return second.completions == 1 && large.completions == 1; });
  CHECK(first.text() == "go");
  CHECK(large.code() == errc::cancelled);
  CHECK(second.code() == errc::closed);
}

TEST_CASE("a stream can be detached when nothing is pending, and attached to another loop") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  CHECK(rig.server->detach() == nullptr);
  rig.server->cancel(in);
  CHECK(rig.server->detach() == nullptr);
  rig.finish(in);
  backend::detached_ptr loose = rig.server->detach();
  REQUIRE(loose != nullptr);
  CHECK(loose->peer().pid.known());
  test::rig other;
  backend::stream_ptr there = other.attach(std::move(loose));
  REQUIRE(write_all(rig, *rig.client, "moved") == errc::none);
  CHECK(read_some(other, *there) == "moved");
  CHECK(read_code(rig, *rig.server) == errc::closed);
}

TEST_CASE("a reset that a drain used up survives a move to another loop") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "unread") == errc::none);
  rig.server.reset();
  test_op drained;
  rig.run(rig.client->drain(drained), drained);
  REQUIRE(drained.code() == errc::connection_reset);
  backend::stream_ptr moved = rig.attach(rig.client->detach());
  CHECK(read_code(rig, *moved) == errc::connection_reset);
  CHECK(read_code(rig, *moved) == errc::none);
}

}  // namespace tp::test
