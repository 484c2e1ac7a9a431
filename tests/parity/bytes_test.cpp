// What a read returns.
#include "steps.hpp"
#include "support/skip.hpp"

namespace tp::test::parity {

TEST_CASE("a write of no bytes delivers nothing and tells nobody") {
  steps both;
  both.pair(0, 1);
  CHECK(both.send(0, 0) == "0");
  CHECK(both.told(1) == "nothing");
  CHECK(both.recv(1, 100) == "EAGAIN");
  both.close(1);
  CHECK(both.send(0, 0) == "EPIPE");
}

TEST_CASE("a read merges small buffers up to its size, and tells the writer of what it has freed") {
  steps both;
  both.pair(0, 1);
  for (const std::size_t n : {3U, 4U, 5U}) both.send(0, n);
  CHECK(both.recv(1, 8) == "8");
  CHECK(both.told(0) == "OUT");
  CHECK(both.recv(1, 100) == "4");
}

TEST_CASE("a read of no bytes says whether there are some, and that it is at the end") {
  steps both;
  both.pair(0, 1);
  CHECK(both.recv(1, 0) == "EAGAIN");
  both.send(0, 1);
  CHECK(both.recv(1, 0) == "0");
  both.close(0);
  CHECK(both.recv(1, 100) == "1");
  CHECK(both.recv(1, 0) == "0");
}

TEST_CASE("an urgent byte splits the read before it, and vanishes from the one behind it") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  CHECK(both.urgent(0, 3) == "3");
  CHECK(both.poll(1) == "IN PRI OUT");
  both.send(0, 4);
  CHECK(both.recv(1, 100) == "2");
  CHECK(both.recv(1, 100) == "4");
  CHECK(both.poll(1) == "OUT");
}

TEST_CASE("an urgent byte is an ordinary one as soon as there is another") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  both.urgent(0, 1);
  both.urgent(0, 1);
  CHECK(both.recv(1, 100) == "1");
  CHECK(both.recv(1, 100) == "EAGAIN");
  CHECK(both.urgent(0, 0) == "EOPNOTSUPP");
}

TEST_CASE("an urgent byte that nobody has read is unread data") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  both.urgent(0, 1);
  both.close(1);
  CHECK(both.recv(0, 1) == "ECONNRESET");
}

}  // namespace tp::test::parity
