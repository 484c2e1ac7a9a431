// Reading a reply in pieces, and building one.
#include <algorithm>
#include <catch2/catch.hpp>

#include "wire_support.hpp"
#include "wire_vectors.hpp"

namespace tp::test {

using state = wire::hello_reader::state;

namespace {

wire::server_reply full_reply() {
  wire::server_reply reply;
  reply.granted = wire::features_known;
  reply.max_receive = 0x01020304;
  reply.early_taken = 0xffff;
  reply.connection_id = 0x8877665544332211;
  reply.extra.app_protocols = {"editor/1"};
  reply.extra.reason = "für später";
  reply.extra.retry_after_ms = 9;
  return reply;
}

}  // namespace

TEST_CASE("a reply split in two at any byte reads the same") {
  const auto bytes = encode(full_reply());
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    wire::hello_reader reader(wire::hello_side::from_server);
    REQUIRE(feed(reader, std::span(bytes).first(split)) == split);
    REQUIRE(reader.current() == (split == bytes.size() ? state::complete : state::needs_more));
    feed(reader, std::span(bytes).subspan(split));
    REQUIRE(reader.current() == state::complete);
    CHECK(to_hex(encode(reader.reply())) == to_hex(bytes));
  }
}

TEST_CASE("a reply that comes one byte at a time reads the same, and no byte after it is taken") {
  const auto bytes = encode(full_reply());
  auto stream = bytes;
  append(stream, bytes_of("the application's"));
  wire::hello_reader reader(wire::hello_side::from_server);
  CHECK(feed(reader, stream, 1) == bytes.size());
  REQUIRE(reader.current() == state::complete);
  CHECK(reader.reply().connection_id == 0x8877665544332211);
  CHECK(reader.reply().extra.reason == "für später");
  CHECK(reader.reply().extra.retry_after_ms == 9u);
}

TEST_CASE("a refusal is sent with version 0, wait and acceptance with the version chosen") {
  for (int status = 0; status <= 12; ++status) {
    wire::server_reply reply;
    reply.status = wire::reply_status{static_cast<std::uint8_t>(status)};
    wire::hello_reader reader(wire::hello_side::from_server);
    feed(reader, encode(reply));
    REQUIRE(reader.current() == state::complete);
    CHECK(reader.reply().version == (status <= 1 ? 1 : 0));
  }
}

TEST_CASE("every version and status together is read or refused by one rule") {
  for (unsigned pair = 0; pair < 0x10000; ++pair) {
    const unsigned version = pair >> 8, status = pair & 0xff;
    auto bytes = encode(wire::server_reply{});
    bytes[10] = static_cast<std::byte>(version);
    bytes[11] = static_cast<std::byte>(status);
    wire::hello_reader reader(wire::hello_side::from_server);
    feed(reader, bytes);
    const bool fine = (version == 1 && status <= 1) || (version == 0 && status >= 2 && status <= 12);
    if ((reader.current() == state::complete) != fine) FAIL("version " << version << ", status " << status);
  }
}

TEST_CASE("its own hello back is recognised at the fifth byte as an echo server") {
  const auto bytes = encode(wire::client_hello{});
  for (const std::size_t step : {std::size_t{1}, bytes.size()}) {
    wire::hello_reader reader(wire::hello_side::from_server);
    feed(reader, bytes, step);
    REQUIRE(reader.current() == state::wrong);
    CHECK(reader.reason() == errc::peer_is_not_twinpipe);
    CHECK(reader.reason_text().find("echo server") != std::string::npos);
  }
}

TEST_CASE("what is not a reply is quoted, escaped, up to 32 bytes") {
  wire::hello_reader reader(wire::hello_side::from_server);
  feed(reader, bytes_of("220 \x1b[2Jmail.example.org ESMTP Postfix ready"));
  REQUIRE(reader.current() == state::wrong);
  CHECK(reader.reason_text() == R"(it began with "220 \x1b[2Jmail.example.org ESMTP P")");
}

TEST_CASE("a wrong reader wants nothing more and keeps its reason") {
  wire::hello_reader reader(wire::hello_side::from_server);
  feed(reader, bytes_of("no"), 1);
  REQUIRE(reader.current() == state::wrong);
  CHECK(reader.wanted().empty());
  CHECK(reader.reason_text() == R"(it began with "n")");
}

}  // namespace tp::test
