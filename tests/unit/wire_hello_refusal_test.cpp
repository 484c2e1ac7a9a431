// Every value of every field of a hello that is impossible, and the byte at which it is refused.
#include <array>
#include <catch2/catch.hpp>

#include "wire_support.hpp"

namespace tp::test {

using state = wire::hello_reader::state;

namespace {

constexpr std::size_t taken_whole = SIZE_MAX;

/// The offset of the byte at which the bytes, fed one by one, are refused; `taken_whole` if they are a whole
/// hello.
std::size_t refused_at(wire::hello_side side, const byte_vector& bytes) {
  wire::hello_reader reader(side);
  const std::size_t taken = feed(reader, bytes, 1);
  REQUIRE(reader.current() != state::needs_more);
  return reader.current() == state::complete ? taken_whole : taken - 1;
}

/// A plain hello with one byte changed.
byte_vector hello_with(std::size_t at, unsigned value) {
  auto bytes = encode(wire::client_hello{});
  bytes[at] = static_cast<std::byte>(value);
  return bytes;
}

byte_vector hello_with_tail(std::string_view hex) {
  auto bytes = encode(wire::client_hello{});
  append(bytes, from_hex(hex));
  bytes[8] = static_cast<std::byte>(bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("any wrong byte of the magic is refused there, before the next one") {
  for (std::size_t at = 0; at < 8; ++at) {
    const auto good = std::to_integer<unsigned>(wire::client_magic[at]);
    for (unsigned value = 0; value < 256; ++value) {
      if (value == good) continue;
      wire::hello_reader reader(wire::hello_side::from_client);
      REQUIRE(feed(reader, hello_with(at, value), 1) == at + 1);
      REQUIRE(reader.reason() == errc::peer_is_not_twinpipe);
    }
  }
}

TEST_CASE("every total length outside its limits is refused at its second byte") {
  for (unsigned total = 0; total < 0x10000; ++total) {
    auto bytes = hello_with(8, total & 0xff);
    bytes[9] = static_cast<std::byte>(total >> 8);
    wire::hello_reader reader(wire::hello_side::from_client);
    const std::size_t taken = feed(reader, bytes, 1);
    const bool fine = total == 32 || (total >= 36 && total <= 4096);
    if (taken != (fine ? 32u : 10u)) FAIL("total length " << total << ": " << taken << " bytes taken");
    if (!fine) REQUIRE(reader.reason() == errc::protocol_error);
  }
}

TEST_CASE("every pair of versions is refused if it names no range") {
  for (unsigned pair = 0; pair < 0x10000; ++pair) {
    const unsigned low = pair >> 8, high = pair & 0xff;
    auto bytes = hello_with(10, low);
    bytes[11] = static_cast<std::byte>(high);
    const std::size_t expected = low == 0 ? 10 : high < low ? 11 : taken_whole;
    if (refused_at(wire::hello_side::from_client, bytes) != expected)
      FAIL("versions " << low << " to " << high);
  }
}

TEST_CASE("every byte of a hello that has few possible values refuses all others, and the rest refuse none") {
  for (std::size_t at = 12; at < 32; ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      bool fine = true;
      if (at == 20) fine = value <= 3;
      if (at == 21) fine = value >= 1 && value <= 3;
      if (at == 22 || at == 23 || at == 31) fine = value == 0;
      if (at == 30) fine = value <= 1;
      INFO("byte " << at << " = " << value);
      REQUIRE(refused_at(wire::hello_side::from_client, hello_with(at, value)) == (fine ? taken_whole : at));
    }
  }
}

TEST_CASE("every byte of a reply that has few possible values refuses all others, and the rest refuse none") {
  for (std::size_t at = 12; at < 32; ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      auto bytes = encode(wire::server_reply{});
      bytes[at] = static_cast<std::byte>(value);
      bool fine = true;
      if (at == 12) fine = value == 0 || (value < 32 && (value & 2) != 0);
      if ((at >= 13 && at <= 15) || at == 23) fine = value == 0;
      if (at == 22) fine = value <= 1;
      INFO("byte " << at << " = " << value);
      REQUIRE(refused_at(wire::hello_side::from_server, bytes) == (fine ? taken_whole : at));
    }
  }
}

TEST_CASE("early data is 65,536 bytes at most, refused at the first byte that makes it more") {
  wire::client_hello hello;
  hello.early_length = 65536;
  CHECK(refused_at(wire::hello_side::from_client, encode(hello)) == taken_whole);
  hello.early_length = 65537;
  CHECK(refused_at(wire::hello_side::from_client, encode(hello)) == 30);
  hello.early_length = 0x00020000;
  CHECK(refused_at(wire::hello_side::from_client, encode(hello)) == 30);
  hello.early_length = 0x01000000;
  CHECK(refused_at(wire::hello_side::from_client, encode(hello)) == 31);
}

TEST_CASE("every known extension but the first is refused a second time") {
  for (unsigned number = 1; number <= 7; ++number) {
    const std::string one = number >= 6 ? "04 00 00 00 00 00" : "00 00";
    const std::string type{'0', static_cast<char>('0' + number), ' ', '0', '0', ' '};
    const std::string twice = type + one + ' ' + type + one;
    const std::size_t second_type_ends = 32 + (number >= 6 ? 8 : 4) + 1;
    CHECK(refused_at(wire::hello_side::from_client, hello_with_tail(twice)) ==
          (number == 1 ? taken_whole : second_type_ends));
  }
}

TEST_CASE("an unknown extension is skipped, however often it comes, and refused if it is critical") {
  for (const unsigned number : {0u, 8u, 9u, 255u, 256u, 0x7fffu}) {
    const std::array<std::byte, 2> type{static_cast<std::byte>(number), static_cast<std::byte>(number >> 8)};
    const std::string skipped = to_hex(type) + " 01 00 aa ";
    CHECK(refused_at(wire::hello_side::from_client, hello_with_tail(skipped + skipped)) == taken_whole);
    auto critical = hello_with_tail(skipped);
    critical[33] |= std::byte{0x80};
    wire::hello_reader reader(wire::hello_side::from_client);
    CHECK(feed(reader, critical, 1) == 34);
    CHECK(reader.reason() == errc::feature_refused);
  }
}

TEST_CASE("every length of an extension in a short hello is refused at once unless it can be followed") {
  // Eight bytes are left for the value and all that follows it.
  for (unsigned length = 0; length < 0x10000; ++length) {
    auto bytes = hello_with_tail("09 00 00 00 09 00 00 00 00 00 00 00");
    bytes[34] = static_cast<std::byte>(length);
    bytes[35] = static_cast<std::byte>(length >> 8);
    wire::hello_reader reader(wire::hello_side::from_client);
    feed(reader, std::span(bytes).first(36), 1);
    const bool fine = length <= 4 || length == 8;
    if ((reader.current() != state::wrong) != fine) FAIL("length " << length);
  }
}

TEST_CASE("an interval in milliseconds without room for its value is refused at its type") {
  CHECK(refused_at(wire::hello_side::from_client, hello_with_tail("06 00 00 00")) == 33);
  CHECK(refused_at(wire::hello_side::from_client, hello_with_tail("07 00 04 00 00 00 00 00 09 00")) == 33);
  CHECK(refused_at(wire::hello_side::from_client, hello_with_tail("06 00 03 00 00 00 00 00")) == 34);
}

}  // namespace tp::test
