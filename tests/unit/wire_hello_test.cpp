// Reading a hello in pieces, and building one.
#include "wire/hello.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "wire_support.hpp"
#include "wire_vectors.hpp"

namespace tp::test {

using state = wire::hello_reader::state;

namespace {

byte_vector long_hello() {
  return vector_bytes("hello", "every extension");
}

wire::client_hello read_back(const wire::client_hello& hello) {
  wire::hello_reader reader(wire::hello_side::from_client);
  const auto bytes = encode(hello);
  REQUIRE(feed(reader, bytes) == bytes.size());
  INFO(reader.reason_text());
  REQUIRE(reader.current() == state::complete);
  return reader.hello();
}

}  // namespace

TEST_CASE("a hello that comes one byte at a time is complete at its last byte and not before") {
  const auto bytes = long_hello();
  wire::hello_reader reader(wire::hello_side::from_client);
  CHECK_FALSE(reader.begun());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    REQUIRE(reader.current() == state::needs_more);
    reader.wanted().front() = bytes[i];
    reader.feed(1);
    REQUIRE(reader.begun());
  }
  REQUIRE(reader.current() == state::complete);
  CHECK(reader.hello().extra.app_protocols == std::vector<std::string>{"editor/2", "editor/1"});
  CHECK(reader.wanted().empty());
}

TEST_CASE("a hello split in two at any byte reads the same") {
  const auto bytes = long_hello();
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    wire::hello_reader reader(wire::hello_side::from_client);
    REQUIRE(feed(reader, std::span(bytes).first(split)) == split);
    REQUIRE(reader.current() == (split == bytes.size() ? state::complete : state::needs_more));
    feed(reader, std::span(bytes).subspan(split));
    REQUIRE(reader.current() == state::complete);
    CHECK(to_hex(encode(reader.hello())) == to_hex(bytes));
  }
}

TEST_CASE("feeding nothing changes nothing") {
  wire::hello_reader reader(wire::hello_side::from_client);
  CHECK(reader.feed(0) == state::needs_more);
  CHECK_FALSE(reader.begun());
  CHECK(reader.wanted().size() == wire::hello_fixed_size);
}

TEST_CASE("a reader never asks for a byte that belongs to the stream after the hello") {
  const auto bytes = long_hello();
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    wire::hello_reader reader(wire::hello_side::from_client);
    std::size_t taken = 0;
    while (reader.current() == state::needs_more) {
      REQUIRE_FALSE(reader.wanted().empty());
      REQUIRE(taken + reader.wanted().size() <= bytes.size());
      const std::size_t n = std::min(step, reader.wanted().size());
      taken += feed(reader, std::span(bytes).subspan(taken, n));
    }
    CHECK(taken == bytes.size());
  }
}

TEST_CASE("a hello that announces much and sends little gets little memory") {
  wire::client_hello hello;
  hello.extra.app_protocols.assign(8, std::string(251, 'p'));
  const auto bytes = encode(hello);
  REQUIRE(bytes.size() == wire::hello_fixed_size + wire::app_protocols_max - 8);
  wire::hello_reader reader(wire::hello_side::from_client);
  for (std::size_t taken = 0; taken < bytes.size(); ++taken) {
    REQUIRE(reader.wanted().size() <= std::max(wire::hello_fixed_size, taken));
    feed(reader, std::span(bytes).subspan(taken, 1));
  }
  CHECK(reader.current() == state::complete);
}

TEST_CASE("the longest hello is read") {
  auto bytes = encode(wire::client_hello{});
  append(bytes, from_hex("ff 7f dc 0f"));
  bytes.resize(wire::hello_max_size, std::byte{0xee});
  bytes[8] = std::byte{0x00};
  bytes[9] = std::byte{0x10};
  wire::hello_reader reader(wire::hello_side::from_client);
  CHECK(feed(reader, bytes) == wire::hello_max_size);
  CHECK(reader.current() == state::complete);
}

TEST_CASE("a text that is too long to send is cut, and one that is not UTF-8 is repaired") {
  wire::client_hello hello;
  hello.extra.program = std::string(254, 'p') + "ü";
  hello.extra.reason = std::string(511, 'r') + "ü";
  hello.extra.relay_hop = "caf\xe9";
  const auto got = read_back(hello);
  CHECK(got.extra.program == std::string(254, 'p'));
  CHECK(got.extra.reason == std::string(511, 'r'));
  CHECK(got.extra.relay_hop == "caf?");
}

TEST_CASE("application protocols that don't fit are left out, the least preferred ones") {
  wire::client_hello hello;
  hello.extra.app_protocols = {"first", std::string(2000, 'x'), std::string(60, 'y'), "z"};
  CHECK(read_back(hello).extra.app_protocols == std::vector<std::string>{"first", std::string(2000, 'x')});
}

TEST_CASE("with everything at its limit a hello stays within its own") {
  wire::client_hello hello;
  hello.extra.app_protocols.assign(9999, "");
  hello.extra.endpoint = hello.extra.program = hello.extra.reason = hello.extra.relay_hop =
      std::string(9999, 'x');
  hello.extra.keepalive_ms = hello.extra.retry_after_ms = 0xffffffff;
  CHECK(encode(hello).size() <= wire::hello_max_size);
  const auto got = read_back(hello);
  CHECK(got.extra.app_protocols.size() == wire::app_protocols_max / 4);
  CHECK(got.extra.retry_after_ms == 0xffffffff);
}

}  // namespace tp::test
