// Draining: ok when the peer's process has read, connection_reset when it never will.
#include "platform_support.hpp"

namespace tp::test {

TEST_CASE("a drain with nothing unread is done at once") {
  connection_rig rig;
  test_op drained;
  CHECK(rig.client->drain(drained) == start::done);
  CHECK(drained.code() == errc::none);
}

TEST_CASE("a drain completes when the peer has read the last byte") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "abc") == errc::none);
  test_op drained;
  REQUIRE(rig.client->drain(drained) == start::pending);
  CHECK(read_some(rig, *rig.server, 2) == "ab");
  static_cast<void>(rig.system->turn(rig.system->now() + 5ms));
  CHECK(drained.pending());
  CHECK(read_some(rig, *rig.server, 2) == "c");
  rig.finish(drained);
  CHECK(drained.code() == errc::none);
}

TEST_CASE("a drain is a reset when the peer closes without reading, and the reader still gets the reset") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "unread") == errc::none);
  REQUIRE(write_all(rig, *rig.server, "data") == errc::none);
  test_op drained;
  REQUIRE(rig.client->drain(drained) == start::pending);
  rig.server.reset();
  rig.finish(drained);
  CHECK(drained.code() == errc::connection_reset);
  CHECK(read_some(rig, *rig.client) == "data");
  CHECK(read_code(rig, *rig.client) == errc::connection_reset);
  CHECK(read_code(rig, *rig.client) == errc::none);
}

TEST_CASE("a drain knows of a reset that a read has taken") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "unread") == errc::none);
  rig.server.reset();
  REQUIRE(read_code(rig, *rig.client) == errc::connection_reset);
  test_op drained;
  rig.run(rig.client->drain(drained), drained);
  CHECK(drained.code() == errc::connection_reset);
}

TEST_CASE("a drain of a peer that read all and closed is ok") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "read") == errc::none);
  CHECK(read_some(rig, *rig.server) == "read");
  rig.server.reset();
  test_op drained;
  rig.run(rig.client->drain(drained), drained);
  CHECK(drained.code() == errc::none);
}

TEST_CASE("a drain can be cancelled, closed and bounded") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "unread") == errc::none);
  test_op first, second, third;
  REQUIRE(rig.client->drain(first) == start::pending);
  rig.client->cancel(first);
  rig.finish(first);
  CHECK(first.code() == errc::cancelled);
  second.deadline = rig.system->now() + 3ms;
  REQUIRE(rig.client->drain(second) == start::pending);
  rig.finish(second);
  CHECK(second.code() == errc::timed_out);
  REQUIRE(rig.client->drain(third) == start::pending);
  rig.client->close();
  rig.finish(third);
  CHECK(third.code() == errc::closed);
}

}  // namespace tp::test
