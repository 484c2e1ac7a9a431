// The asynchronous stream on Linux: what reads, writes and ends bring.
#include "platform_support.hpp"

namespace tp::test {

TEST_CASE("a small write completes at once and its bytes arrive") {
  connection_rig rig;
  test_write out("hello");
  CHECK(rig.client->write(out) == start::done);
  CHECK(out.code() == errc::none);
  CHECK(out.n == 5);
  CHECK(read_some(rig, *rig.server) == "hello");
}

TEST_CASE("a read without data is pending and completes once, in a turn") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "late") == errc::none);
  CHECK(in.completions == 0);
  rig.finish(in);
  rig.turn_once();
  CHECK(in.completions == 1);
  CHECK(in.text() == "late");
}

TEST_CASE("a read fills the spill with what its span has no room for") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "0123456789") == errc::none);
  test_read in(4, 4);
  rig.run(rig.server->read(in), in);
  CHECK(in.n == 8);
  CHECK(in.text() == "01234567");
  CHECK(read_some(rig, *rig.server) == "89");
}

TEST_CASE("a read into nothing waits for data and takes none") {
  connection_rig rig;
  test_read ready(0);
  REQUIRE(rig.server->read(ready) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "x") == errc::none);
  rig.finish(ready);
  CHECK(ready.code() == errc::none);
  CHECK(ready.n == 0);
  test_read again(0);
  CHECK(rig.server->read(again) == start::done);
  CHECK(read_some(rig, *rig.server) == "x");
}

TEST_CASE("the end is an ok read of nothing, as often as it is asked for") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "last") == errc::none);
  rig.client.reset();
  CHECK(read_some(rig, *rig.server) == "last");
  for (int i = 0; i < 3; ++i) {
    test_read in;
    rig.run(rig.server->read(in), in);
    CHECK(in.code() == errc::none);
    CHECK(in.n == 0);
  }
}

TEST_CASE("a write larger than the kernel takes is pending until the peer has read") {
  connection_rig rig;
  const std::string large(1 << 20, 'x');
  test_write out(large);
  REQUIRE(rig.client->write(out) == start::pending);
  std::size_t arrived = 0;
  while (arrived < large.size()) {
    const std::string part = read_some(rig, *rig.server, 1 << 16);
    REQUIRE(!part.empty());
    arrived += part.size();
  }
  rig.finish(out);
  CHECK(out.n == large.size());
  CHECK(out.completions == 1);
}

TEST_CASE("a vector of more elements than one system call takes arrives in order, empty elements included") {
  connection_rig rig;
  std::vector<std::string> texts;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    texts.push_back(i % 7 == 0 ? "" : std::to_string(i));
    expected += texts.back();
  }
  test_write out(texts);
  rig.run(rig.client->write(out), out);
  CHECK(out.n == expected.size());
  CHECK(out.buffers.empty());
  CHECK(read_some(rig, *rig.server, 4096) == expected);
}

TEST_CASE("a write to a peer that is gone is a broken pipe and no signal") {
  connection_rig rig;
  rig.server.reset();
  CHECK(write_all(rig, *rig.client, "x") == errc::broken_pipe);
}

TEST_CASE("a peer that closes without reading gives its data, then one reset, then the end") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "unread") == errc::none);
  REQUIRE(write_all(rig, *rig.server, "parting") == errc::none);
  rig.server.reset();
  CHECK(read_some(rig, *rig.client) == "parting");
  CHECK(read_code(rig, *rig.client) == errc::connection_reset);
  CHECK(read_code(rig, *rig.client) == errc::none);
  CHECK(read_code(rig, *rig.client) == errc::none);
}

TEST_CASE("a pending read sees the reset of a peer that closes without reading") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "unread") == errc::none);
  test_read in;
  REQUIRE(rig.client->read(in) == start::pending);
  rig.server.reset();
  rig.finish(in);
  CHECK(in.code() == errc::connection_reset);
  CHECK(read_code(rig, *rig.client) == errc::none);
}

TEST_CASE("shutdown ends one direction and leaves the other") {
  connection_rig rig;
  REQUIRE(write_all(rig, *rig.client, "question") == errc::none);
  test_op ended;
  rig.run(rig.client->shutdown(ended), ended);
  CHECK(ended.code() == errc::none);
  CHECK(read_some(rig, *rig.server) == "question");
  CHECK(read_some(rig, *rig.server).empty());
  CHECK(write_all(rig, *rig.server, "answer") == errc::none);
  CHECK(read_some(rig, *rig.client) == "answer");
  CHECK(write_all(rig, *rig.client, "more") == errc::broken_pipe);
}

TEST_CASE("a read and a large write are pending at one time and both complete") {
  connection_rig rig;
  test_write out(std::string(1 << 20, 'x'));
  test_read in;
  REQUIRE(rig.client->write(out) == start::pending);
  REQUIRE(rig.client->read(in) == start::pending);
  REQUIRE(write_all(rig, *rig.server, "meanwhile") == errc::none);
  rig.finish(in);
  CHECK(in.text() == "meanwhile");
  while (out.pending()) REQUIRE(!read_some(rig, *rig.server, 1 << 16).empty());
  CHECK(out.n == 1 << 20);
}

TEST_CASE("a stream with data that nobody reads does not keep its loop busy") {
  connection_rig rig;
  test_read in;
  REQUIRE(rig.server->read(in) == start::pending);
  REQUIRE(write_all(rig, *rig.client, "first") == errc::none);
  rig.finish(in);
  REQUIRE(write_all(rig, *rig.client, "second") == errc::none);
  // Nothing of ours completes: a turn ends only when its time has come.
  CHECK(rig.system->turn(rig.system->now() + 20ms) == backend::turn_result::timed_out);
  CHECK(read_some(rig, *rig.server) == "second");
}

namespace {
// A conversation of messages that fill the reader's buffer: each read waits, and finds nothing behind.
void exchange_equal_messages(connection_rig& rig, int count) {
  for (int i = 0; i < count; ++i) {
    test_read in(4);
    REQUIRE(rig.server->read(in) == start::pending);
    REQUIRE(write_all(rig, *rig.client, "ping") == errc::none);
    rig.finish(in);
    REQUIRE(in.text() == "ping");
  }
}
}  // namespace

TEST_CASE("a reader whose full reads never leave anything behind waits for an event at once") {
  connection_rig rig;
  exchange_equal_messages(rig, 20);
  REQUIRE(write_all(rig, *rig.client, "ping") == errc::none);
  test_read in(4);
  REQUIRE(rig.server->read(in) == start::pending);
  rig.finish(in);
  CHECK(in.text() == "ping");
}

TEST_CASE("a reader that finds more behind its full reads goes back to trying") {
  connection_rig rig;
  exchange_equal_messages(rig, 20);
  REQUIRE(write_all(rig, *rig.client, std::string(400, 'x')) == errc::none);
  start last = start::pending;
  for (int i = 0; i < 100; ++i) {
    test_read in(4);
    last = rig.server->read(in);
    rig.run(last, in);
    REQUIRE(in.text() == "xxxx");
  }
  CHECK(last == start::done);
}

}  // namespace tp::test
