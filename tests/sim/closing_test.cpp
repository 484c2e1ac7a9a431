// Ends, resets, drains and closes on the streams of a world.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;

TEST_CASE("after a close with everything read the peer finds the data, then the end for ever") {
  duplex pair;
  duplex::put(*pair.near, "bye");
  pair.near->close();
  pair.near->close();
  CHECK(pair.take(*pair.far) == "bye");
  CHECK(pair.take(*pair.far) == "end");
  CHECK(pair.take(*pair.far) == "end");
}

TEST_CASE("after a close with unread data the peer finds the data, one reset, then the end") {
  duplex pair;
  duplex::put(*pair.far, "never read");
  duplex::put(*pair.near, "bye");
  pair.near->close();
  CHECK(duplex::put(*pair.far, "x") == errc::broken_pipe);
  CHECK(pair.take(*pair.far) == "bye");
  CHECK(pair.take(*pair.far) == "reset");
  CHECK(pair.take(*pair.far) == "end");
  CHECK(pair.take(*pair.far) == "end");
}

TEST_CASE("a reset is told once, to a reader, and to whoever drains also after that") {
  duplex pair;
  duplex::put(*pair.far, "never read");
  pair.near->close();
  waiting before, after;
  REQUIRE(pair.far->drain(before) == start::done);
  CHECK(before.code() == errc::connection_reset);
  CHECK(pair.take(*pair.far) == "reset");
  REQUIRE(pair.far->drain(after) == start::done);
  CHECK(after.code() == errc::connection_reset);
  CHECK(pair.take(*pair.far) == "end");
}

TEST_CASE("an earlier shutdown doesn't prevent the reset") {
  duplex pair;
  waiting op;
  REQUIRE(pair.near->shutdown(op) == start::done);
  duplex::put(*pair.far, "never read");
  pair.near->close();
  CHECK(pair.take(*pair.far) == "reset");
  CHECK(pair.take(*pair.far) == "end");
}

TEST_CASE("a wait for readability doesn't use the reset up") {
  duplex pair;
  duplex::put(*pair.far, "never read");
  pair.near->close();
  reading probe_only(0);
  REQUIRE(pair.far->read(probe_only) == start::done);
  CHECK(probe_only.code() == errc::none);
  CHECK(pair.take(*pair.far) == "reset");
}

TEST_CASE("a shutdown ends one direction and leaves the other") {
  duplex pair;
  duplex::put(*pair.near, "request");
  waiting op;
  REQUIRE(pair.near->shutdown(op) == start::done);
  CHECK(op.code() == errc::none);
  CHECK(pair.take(*pair.far) == "request");
  CHECK(pair.take(*pair.far) == "end");
  CHECK(duplex::put(*pair.near, "x") == errc::broken_pipe);
  CHECK(duplex::put(*pair.far, "answer") == errc::none);
  CHECK(pair.take(*pair.near) == "answer");
}

TEST_CASE("a shutdown wakes the peer's read with the end") {
  duplex pair;
  reading op;
  REQUIRE(pair.far->read(op) == start::pending);
  waiting ended;
  REQUIRE(pair.near->shutdown(ended) == start::done);
  pair.server.poll();
  CHECK(op.completions == 1);
  CHECK(op.code() == errc::none);
  CHECK(op.n == 0);
}

TEST_CASE("a drain waits until the peer has read all") {
  duplex pair;
  waiting op;
  duplex::put(*pair.near, "12345");
  REQUIRE(pair.near->drain(op) == start::pending);
  CHECK(pair.take(*pair.far, 4) == "1234");
  CHECK(pair.client.poll() == turn_result::timed_out);
  CHECK(pair.take(*pair.far, 4) == "5");
  pair.client.poll();
  CHECK(op.completions == 1);
  CHECK(op.code() == errc::none);
}

TEST_CASE("a drain says that the peer closed without reading, before or after the close") {
  duplex pair;
  waiting before, after;
  duplex::put(*pair.near, "12345");
  REQUIRE(pair.near->drain(before) == start::pending);
  pair.far->close();
  pair.client.poll();
  CHECK(before.code() == errc::connection_reset);
  REQUIRE(pair.near->drain(after) == start::done);
  CHECK(after.code() == errc::connection_reset);
}

TEST_CASE("a blocked write ends broken when the peer closes, with what was accepted") {
  duplex pair;
  writing large(std::string(300'000, 'x'));
  REQUIRE(pair.near->write(large) == start::pending);
  pair.far->close();
  pair.client.poll();
  CHECK(large.code() == errc::broken_pipe);
  CHECK(large.n == 6 * 36'544);
}

TEST_CASE("a close ends pending operations on a later turn, and later starts at once") {
  duplex pair;
  reading read;
  writing write(std::string(300'000, 'x'));
  REQUIRE(pair.near->read(read) == start::pending);
  REQUIRE(pair.near->write(write) == start::pending);
  pair.near->close();
  CHECK(read.completions + write.completions == 0);
  pair.client.poll();
  CHECK(read.code() == errc::closed);
  CHECK(write.code() == errc::closed);
  CHECK(write.n == 6 * 36'544);
  reading later;
  CHECK(pair.near->read(later) == start::done);
  CHECK(later.code() == errc::closed);
}

TEST_CASE("a stream may be released inside its own completion, with another operation pending") {
  duplex pair;
  reading read;
  writing write(std::string(300'000, 'x'));
  REQUIRE(pair.near->read(read) == start::pending);
  REQUIRE(pair.near->write(write) == start::pending);
  read.then = [&] { pair.near.reset(); };
  duplex::put(*pair.far, "hello");
  pair.client.poll();
  CHECK(read.text() == "hello");
  CHECK(write.completions == 0);
  pair.client.poll();
  CHECK(write.code() == errc::closed);
}

TEST_CASE("a detached stream that is destroyed is closed") {
  duplex pair;
  duplex::put(*pair.far, "never read");
  pair.near->detach().reset();
  CHECK(pair.take(*pair.far) == "reset");
}

}  // namespace tp::test
