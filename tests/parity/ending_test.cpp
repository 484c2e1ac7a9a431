// How a connection ends: the reset after unread data, what poll shows of it, half-close.
#include "steps.hpp"

namespace tp::test::parity {

namespace {

/// 1 has closed with a byte unread, and left two of its own.
void close_with_unread(steps& both) {
  both.pair(0, 1);
  both.send(0, 1);
  both.send(1, 2);
  both.close(1);
}

}  // namespace

TEST_CASE("who closes with data unread leaves its own data, one reset, and then the end for ever") {
  steps both;
  close_with_unread(both);
  CHECK(both.recv(0, 100) == "2");
  CHECK(both.recv(0, 100) == "ECONNRESET");
  CHECK(both.recv(0, 100) == "0");
  CHECK(both.recv(0, 100) == "0");
}

TEST_CASE("a write after the peer's close is EPIPE, and leaves the reset to the reader") {
  steps both;
  close_with_unread(both);
  CHECK(both.send(0, 1) == "EPIPE");
  CHECK(both.send(0, 1) == "EPIPE");
  CHECK(both.recv(0, 100) == "2");
  CHECK(both.recv(0, 100) == "ECONNRESET");
}

TEST_CASE("SO_ERROR uses the reset up") {
  steps both;
  close_with_unread(both);
  CHECK(both.error(0) == "ECONNRESET");
  CHECK(both.error(0) == "0");
  CHECK(both.recv(0, 100) == "2");
  CHECK(both.recv(0, 100) == "0");
}

TEST_CASE("an earlier shutdown of writing doesn't prevent the reset") {
  steps both;
  both.pair(0, 1);
  both.stop_writing(1);
  CHECK(both.recv(0, 100) == "0");
  both.send(0, 1);
  both.close(1);
  CHECK(both.recv(0, 100) == "ECONNRESET");
  CHECK(both.recv(0, 100) == "0");
}

TEST_CASE("who closes with nothing unread leaves its data and the end") {
  steps both;
  both.pair(0, 1);
  both.send(1, 5);
  both.close(1);
  CHECK(both.recv(0, 3) == "3");
  CHECK(both.recv(0, 3) == "2");
  CHECK(both.recv(0, 3) == "0");
}

TEST_CASE("the end shows at once, while data is still unread") {
  steps both;
  close_with_unread(both);
  CHECK(both.poll(0) == "IN OUT ERR HUP RDHUP");
  CHECK(both.told(0) == "IN OUT");
  both.recv(0, 100);
  CHECK(both.poll(0) == "IN OUT ERR HUP RDHUP");
  both.recv(0, 100);
  CHECK(both.poll(0) == "IN OUT HUP RDHUP");
}

TEST_CASE("it hangs up when both sides have shut down writing and nobody has closed") {
  steps both;
  both.pair(0, 1);
  both.stop_writing(0);
  CHECK(both.poll(1) == "IN OUT RDHUP");
  CHECK(both.poll(0) == "OUT");
  both.stop_writing(1);
  CHECK(both.poll(0) == "IN OUT HUP RDHUP");
  CHECK(both.poll(1) == "IN OUT HUP RDHUP");
}

TEST_CASE("a peer that has shut down reading can't be written to, shows nothing of it, and still writes") {
  steps both;
  both.pair(0, 1);
  both.stop_reading(1);
  CHECK(both.send(0, 1) == "EPIPE");
  CHECK(both.poll(0) == "OUT");
  CHECK(both.send(1, 7) == "7");
  CHECK(both.recv(0, 100) == "7");
  CHECK(both.recv(0, 100) == "EAGAIN");
}

TEST_CASE("what was queued before the own shutdown of reading stays readable") {
  steps both;
  both.pair(0, 1);
  both.send(1, 7);
  both.stop_reading(0);
  CHECK(both.poll(0) == "IN OUT RDHUP");
  CHECK(both.recv(0, 100) == "7");
  CHECK(both.recv(0, 100) == "0");
}

}  // namespace tp::test::parity
