// Connecting, the backlog, and what becomes of those who wait in it.
#include "steps.hpp"

namespace tp::test::parity {

namespace {

/// 0 listens with that backlog, and 1 waits in it.
void have_one_queued(steps& both, std::size_t backlog) {
  both.open(0);
  both.listen(0, backlog);
  both.open(1);
  both.connect(1, 0);
}

}  // namespace

TEST_CASE("a backlog of n admits n + 1") {
  for (std::size_t n = 0; n < 4; ++n) {
    steps both;
    have_one_queued(both, n);
    int next = 2;
    for (std::size_t i = 0; i < n; ++i, ++next) {
      both.open(next);
      CHECK(both.connect(next, 0) == "0");
    }
    both.open(next);
    CHECK(both.connect(next, 0) == "EAGAIN");
    CHECK(both.accept(0, next + 1) == "0");
    CHECK(both.connect(next, 0) == "0");
  }
}

TEST_CASE("who doesn't fit into the backlog is not connecting") {
  steps both;
  have_one_queued(both, 0);
  both.open(2);
  CHECK(both.connect(2, 0) == "EAGAIN");
  CHECK(both.poll(2) == "OUT HUP");
  CHECK(both.send(2, 1) == "ENOTCONN");
  CHECK(both.recv(2, 1) == "EINVAL");
  CHECK(both.accept(0, 3) == "0");
  CHECK(both.poll(2) == "OUT HUP");
}

TEST_CASE("bound but not listening refuses") {
  steps both;
  both.open(0);
  both.open(1);
  CHECK(both.connect(1, 0) == "ECONNREFUSED");
  CHECK(both.accept(0, 2) == "EINVAL");
  both.listen(0, 0);
  CHECK(both.connect(1, 0) == "0");
  CHECK(both.connect(1, 0) == "EAGAIN");  // it asks for a place before it looks whether it needs one
  CHECK(both.accept(0, 2) == "0");
  CHECK(both.connect(1, 0) == "EISCONN");
}

TEST_CASE("a client that waits to be accepted is connected and writes") {
  steps both;
  have_one_queued(both, 0);
  CHECK(both.poll(1) == "OUT");
  CHECK(both.send(1, 5) == "5");
  CHECK(both.recv(1, 5) == "EAGAIN");
  both.accept(0, 2);
  CHECK(both.recv(2, 100) == "5");
  CHECK(both.send(2, 3) == "3");
  CHECK(both.recv(1, 100) == "3");
}

TEST_CASE("a client that left before it was accepted is accepted with its bytes") {
  steps both;
  have_one_queued(both, 0);
  both.send(1, 5);
  both.close(1);
  CHECK(both.accept(0, 2) == "0");
  CHECK(both.send(2, 1) == "EPIPE");
  CHECK(both.recv(2, 100) == "5");
  CHECK(both.recv(2, 100) == "0");
}

TEST_CASE("clients of a listener that closes are reset once, and what they wrote is lost") {
  steps both;
  have_one_queued(both, 1);
  both.open(2);
  both.connect(2, 0);
  both.send(1, 5);
  both.close(0);
  CHECK(both.told(1) == "IN OUT");
  CHECK(both.outq(1) == 0);
  for (const int client : {1, 2}) {
    CHECK(both.send(client, 1) == "EPIPE");
    CHECK(both.recv(client, 1) == "ECONNRESET");
    CHECK(both.recv(client, 1) == "0");
  }
}

TEST_CASE("a connection is told to all who accept, and who comes second gets EAGAIN") {
  steps both;
  both.open(0);
  both.listen(0, 3);
  both.open(1);
  both.connect(1, 0);
  CHECK(both.told(0) == "IN");
  CHECK(both.accept(0, 2) == "0");
  CHECK(both.poll(0) == "nothing");
  CHECK(both.accept(0, 3) == "EAGAIN");
}

TEST_CASE("a listener that has shut down reading refuses, and still hands out who waited") {
  steps both;
  have_one_queued(both, 3);
  both.open(2);
  both.stop_reading(0);
  CHECK(both.connect(2, 0) == "ECONNREFUSED");
  CHECK(both.accept(0, 3) == "0");
}

}  // namespace tp::test::parity
