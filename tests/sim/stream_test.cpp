// Reading and writing on the streams of a world.
#include <array>
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

namespace {

const std::string plenty(300'000, 'x');                 // more than a connection holds
constexpr std::size_t accepted_of_plenty = 6 * 36'544;  // each charged 37,120, of 212,992

}  // namespace

TEST_CASE("bytes arrive in order and merged, whatever the writes were") {
  duplex pair;
  duplex::put(*pair.near, "one");
  duplex::put(*pair.near, "");
  duplex::put(*pair.near, "two");
  CHECK(pair.take(*pair.far, 4) == "onet");
  CHECK(pair.take(*pair.far) == "wo");
  CHECK(pair.take(*pair.far) == "nothing");
}

TEST_CASE("a pending read completes once, on a later turn, when bytes come") {
  duplex pair;
  reading op;
  REQUIRE(pair.far->read(op) == start::pending);
  duplex::put(*pair.near, "hello");
  CHECK(op.completions == 0);
  CHECK(pair.client.system->turn(never) == turn_result::progressed);
  CHECK(op.completions == 1);
  CHECK(op.text() == "hello");
  CHECK(pair.server.system->turn(never) == turn_result::stalled);
}

TEST_CASE("a read fills its first span and spills the rest into the second") {
  duplex pair;
  duplex::put(*pair.near, "abcdefgh");
  reading op(3);
  std::string more(4, '.');
  op.spill = std::as_writable_bytes(std::span(more));
  REQUIRE(pair.far->read(op) == start::done);
  CHECK(op.n == 7);
  CHECK(op.storage + more == "abcdefg");
  CHECK(pair.take(*pair.far) == "h");
}

TEST_CASE("a read without room waits for bytes and moves none") {
  duplex pair;
  reading probe_only(0);
  REQUIRE(pair.far->read(probe_only) == start::pending);
  duplex::put(*pair.near, "x");
  pair.server.poll();
  CHECK(probe_only.completions == 1);
  CHECK(probe_only.code() == errc::none);
  CHECK(probe_only.n == 0);
  CHECK(pair.take(*pair.far) == "x");
}

TEST_CASE("a vectored write goes out whole and consumes its buffers in place") {
  duplex pair;
  const std::string head = "head", body = "body";
  std::array buffers{std::as_bytes(std::span(head)), const_buffer{}, std::as_bytes(std::span(body))};
  probe<write_op> op;
  op.buffers = buffers;
  REQUIRE(pair.near->write(op) == start::done);
  CHECK(op.n == 8);
  CHECK(buffers[2].empty());
  CHECK(pair.take(*pair.far) == "headbody");
}

TEST_CASE("a write that doesn't fit waits until its reader has made room, and arrives whole") {
  duplex pair;
  writing large(plenty);
  REQUIRE(pair.near->write(large) == start::pending);
  std::string got;
  while (got.size() < plenty.size()) {
    got += pair.take(*pair.far, 50'000);
    pair.client.poll();
  }
  CHECK(large.completions == 1);
  CHECK(large.code() == errc::none);
  CHECK(large.n == plenty.size());
  CHECK(got == plenty);
}

TEST_CASE("a blocked writer is let in again when three quarters are free") {
  duplex pair;
  writing large(plenty);
  REQUIRE(pair.near->write(large) == start::pending);
  (void)pair.take(*pair.far, 5 * 36'544 - 1);  // the fifth buffer isn't free before its last byte
  CHECK(pair.client.poll() == turn_result::timed_out);
  CHECK(pair.take(*pair.far, 1) == "x");
  CHECK(pair.client.poll() == turn_result::progressed);
  CHECK(large.completions == 1);
}

TEST_CASE("a connection holds charges, not bytes: 278 small writes fill it, and a try may succeed before") {
  duplex pair;
  for (int i = 0; i < 278; ++i) {
    CHECK(duplex::put(*pair.near, "x") == errc::none);
    if (i == 200) pair.client.poll();  // so many writes are done at once before a turn
  }
  writing more("y");
  REQUIRE(pair.near->write(more) == start::pending);
  CHECK(pair.take(*pair.far, 1) == "x");
  CHECK(pair.client.poll() == turn_result::timed_out);  // there is room for one, which nobody is told
  pair.near->cancel(more);
  pair.client.poll();
  CHECK(more.code() == errc::cancelled);
  CHECK(more.n == 0);
  CHECK(duplex::put(*pair.near, "z") == errc::none);
  CHECK(pair.take(*pair.far, 300) == std::string(277, 'x') + "z");
}

TEST_CASE("a cancelled write says exactly how much was accepted, and no more of it travels") {
  duplex pair;
  writing large(plenty);
  REQUIRE(pair.near->write(large) == start::pending);
  pair.near->cancel(large);
  CHECK(large.completions == 0);
  pair.client.poll();
  CHECK(large.code() == errc::cancelled);
  CHECK(large.n == accepted_of_plenty);
  CHECK(pair.take(*pair.far, plenty.size()).size() == large.n);
  CHECK(pair.take(*pair.far) == "nothing");
}

TEST_CASE("an operation that is possible before its cancel ends with its true result") {
  duplex pair;
  reading op;
  REQUIRE(pair.far->read(op) == start::pending);
  duplex::put(*pair.near, "in time");
  pair.far->cancel(op);
  pair.server.poll();
  CHECK(op.code() == errc::none);
  CHECK(op.text() == "in time");
}

TEST_CASE("an operation that becomes possible only after its cancel is cancelled, and its bytes stay") {
  duplex pair;
  reading op;
  REQUIRE(pair.far->read(op) == start::pending);
  pair.far->cancel(op);
  duplex::put(*pair.near, "late");
  pair.server.poll();
  CHECK(op.code() == errc::cancelled);
  CHECK(pair.take(*pair.far) == "late");
}

TEST_CASE("a cancelled accept that had been woken in vain ends cancelled") {
  duplex pair;
  const auto other = pair.server.open(pair.name);
  accepting first, second;
  REQUIRE(pair.acceptor->accept(first) == start::pending);
  REQUIRE(other->accept(second) == start::pending);
  const auto client = pair.client.connect("pair");
  other->cancel(second);
  pair.server.poll();
  CHECK(first.code() == errc::none);
  CHECK(second.code() == errc::cancelled);
}

TEST_CASE("a cancel is ignored for operations that are idle or pending elsewhere") {
  duplex pair;
  reading op, idle;
  REQUIRE(pair.far->read(op) == start::pending);
  pair.near->cancel(op);
  pair.server.system->cancel(op);
  pair.far->cancel(idle);
  CHECK(pair.server.poll() == turn_result::timed_out);
  CHECK(op.completions + idle.completions == 0);
  duplex::put(*pair.near, "x");
  pair.server.poll();
  CHECK(op.text() == "x");
}

TEST_CASE("streams and names that are not of this twin are refused") {
  duplex pair;
  const auto attached = pair.server.system->attach(nullptr, attachment::established);
  REQUIRE_FALSE(attached);
  CHECK(attached.error() == errc::invalid_argument);
  CHECK(pair.server.system->open(nullptr).error() == errc::invalid_argument);
}

TEST_CASE("every operation of a stream ends at its deadline") {
  duplex pair;
  reading read;
  writing write(plenty);
  waiting drain;
  read.deadline = write.deadline = drain.deadline = time_point{} + 5s;
  REQUIRE(pair.near->read(read) == start::pending);
  REQUIRE(pair.near->write(write) == start::pending);
  REQUIRE(pair.near->drain(drain) == start::pending);
  CHECK(pair.client.system->turn(never) == turn_result::progressed);
  CHECK(pair.world.now() == time_point{} + 5s);
  for (const errc code : {read.code(), write.code(), drain.code()}) CHECK(code == errc::timed_out);
  CHECK(write.n == accepted_of_plenty);
}

TEST_CASE("a stream that is detached goes on where another system attaches it") {
  duplex pair;
  duplex::put(*pair.near, "before");
  reading op;
  REQUIRE(pair.near->read(op) == start::pending);
  CHECK(pair.near->detach() == nullptr);
  auto other = *pair.server.process->make_system();
  auto moved = *other->attach(pair.far->detach(), attachment::half_open);
  CHECK(pair.far->detach() == nullptr);
  pair.far.reset();
  duplex::put(*moved, "answer");
  pair.client.poll();
  CHECK(op.text() == "answer");
  CHECK(pair.take(*moved) == "before");
}

TEST_CASE("a thread that reads from a blocking stream waits for the peer, and for no longer than it wants") {
  duplex pair;
  auto made = pair.server.process->attach_blocking(pair.far->detach());
  REQUIRE(made);
  reading read;
  read.deadline = time_point{} + std::chrono::seconds(1);
  CHECK((*made)->read(read) == start::done);
  CHECK(read.code() == errc::timed_out);
  CHECK(pair.world.now() == read.deadline);
  duplex::put(*pair.near, "there");
  CHECK((*made)->read(read) == start::done);
  CHECK(read.text() == "there");
  CHECK(pair.server.process->attach_blocking(nullptr).error() == errc::invalid_argument);
}

}  // namespace tp::test
