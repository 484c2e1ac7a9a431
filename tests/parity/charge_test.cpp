// What a connection holds: the charges of its buffers.
#include <array>

#include "steps.hpp"
#include "support/skip.hpp"

namespace tp::test::parity {

namespace {

struct row {
  std::size_t size;
  std::uint32_t charge;
  std::size_t writes;
};
constexpr std::array table{row{1, 768, 278},      row{64, 768, 278},   row{256, 1280, 167},
                           row{1024, 2304, 93},   row{4096, 4864, 44}, row{16'384, 17'152, 13},
                           row{36'544, 37'120, 6}};

}  // namespace

TEST_CASE("a buffer is charged for its memory, and a connection holds charges") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  for (const row& r : table) {
    steps both;
    both.pair(0, 1);
    both.send(0, r.size);
    CHECK(both.outq(0) == r.charge);
    CHECK(both.inq(1) == r.size);
    CHECK(both.fill(0, r.size) + 1 == r.writes);
  }
}

TEST_CASE("a write is admitted while the charge is below the limit, and may overshoot it") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  CHECK(both.send(0, 1 << 20) == "219264");
  CHECK(both.outq(0) == 6 * 37'120);
  CHECK(both.send(0, 1) == "EAGAIN");
  both.pair(2, 3);
  both.limit(2, 1);  // the least there is
  CHECK(both.send(2, 10'000) == "4480");
  CHECK(both.outq(2) == 8704);
}

TEST_CASE("a charge is given back when its whole buffer has been read") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  both.send(0, 1 << 20);
  CHECK(both.recv(1, 36'543) == "36543");
  CHECK(both.send(0, 1) == "EAGAIN");
  CHECK(both.recv(1, 1) == "1");
  CHECK(both.send(0, 1) == "1");
}

TEST_CASE("poll says writable up to a quarter of the limit, a write succeeds up to all of it") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  for (int i = 0; i < 69; ++i) both.send(0, 1);
  CHECK(both.poll(0) == "OUT");
  both.send(0, 1);
  CHECK(both.poll(0) == "nothing");
  CHECK(both.fill(0, 1) == 208);
}

TEST_CASE("writers are told when the charge has fallen to a quarter, not before") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  both.fill(0, 1);
  for (int i = 0; i < 208; ++i) {
    both.recv(1, 1);
    REQUIRE(both.told(0) == "nothing");
  }
  both.recv(1, 1);
  CHECK(both.told(0) == "OUT");
  both.recv(1, 1);
  CHECK(both.told(0) == "OUT");  // each time it falls
}

TEST_CASE("a quarter of the limit to the byte is too much") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  both.limit(0, 4608);  // a limit of 9,216, four times what is charged
  both.send(0, 1024);
  CHECK(both.poll(0) == "nothing");
  both.limit(0, 4610);
  CHECK(both.poll(0) == "OUT");
}

TEST_CASE("SIOCOUTQ falls by buffers, and reaches 0 when all is read") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  steps both;
  both.pair(0, 1);
  both.send(0, 1000);
  both.recv(1, 999);
  CHECK(both.outq(0) == 2304);
  CHECK(both.inq(1) == 1);
  both.recv(1, 1);
  CHECK(both.outq(0) == 0);
  CHECK(both.told(0) == "OUT");
}

TEST_CASE("SIOCOUTQ is 0 also when the peer has thrown away what it held") {
  steps both;
  both.pair(0, 1);
  both.send(0, 1000);
  CHECK(both.outq(0) > 0);
  both.close(1);
  CHECK(both.outq(0) == 0);
}

}  // namespace tp::test::parity
