// Frames: pieces, sizes, and the parser's view of the message under way.
#include "wire/frame.hpp"

#include <catch2/catch.hpp>

#include "wire_support.hpp"
#include "wire_vectors.hpp"

namespace tp::test {

using kind = wire::frame_parser::kind;
using wire::frame_type;

namespace {

frame_log log_of(const wire_vector& v) {
  return {v.get("mode") == "message" ? transmission::message : transmission::byte,
          std::stoul(v.get("max_receive"))};
}

byte_vector control(frame_type type, std::uint64_t token) {
  const auto c = wire::make_control(type, token);
  return {c.bytes.begin(), c.bytes.begin() + c.size};
}

}  // namespace

TEST_CASE("frames read the same whole, one byte at a time, and split in two at any byte") {
  for (const auto& v : vectors_of("frames")) {
    INFO(v.title);
    auto bytewise = log_of(v);
    for (const std::byte b : v.bytes) bytewise.feed(std::span(&b, 1));
    CHECK(bytewise.events() == v.get_all("event"));
    for (std::size_t split = 0; split <= v.bytes.size(); ++split) {
      auto log = log_of(v);
      log.feed(std::span(v.bytes).first(split));
      log.feed(std::span(v.bytes).subspan(split));
      REQUIRE(log.events() == v.get_all("event"));
    }
  }
}

TEST_CASE("no event comes before its frame is whole, except that of a data frame's header") {
  for (const auto type : {frame_type::drain, frame_type::drained, frame_type::ping, frame_type::pong}) {
    const auto bytes = control(type, 0x0102030405060708);
    wire::frame_parser parser(transmission::byte, 0);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      REQUIRE(parser.next(std::span(bytes).first(n)).what == kind::needs_more);
    }
    const auto e = parser.next(bytes);
    CHECK(e.consumed == 16);
    CHECK(e.token == 0x0102030405060708);
  }
}

TEST_CASE("a data event uses up the header alone, and payload_left counts down as the payload is taken") {
  wire::frame_parser parser(transmission::message, 100);
  const auto bytes = frame(frame_type::data, "payload");
  const auto e = parser.next(bytes);
  REQUIRE(e.what == kind::data);
  CHECK(e.consumed == wire::frame_header_size);
  CHECK(parser.payload_left() == 7);
  parser.take(3);
  CHECK(parser.payload_left() == 4);
  CHECK(parser.inside_message());
  parser.take(4);
  CHECK_FALSE(parser.inside_message());
}

TEST_CASE("the parser knows when it is inside a message and how much of it was announced") {
  wire::frame_parser parser(transmission::message, 10);
  CHECK_FALSE(parser.inside_message());
  REQUIRE(parser.next(frame(frame_type::data, "abc", wire::flag_more)).what == kind::data);
  parser.take(3);
  CHECK(parser.inside_message());
  CHECK_FALSE(parser.final_fragment());
  REQUIRE(parser.next(frame(frame_type::data, "defg")).what == kind::data);
  CHECK(parser.announced() == 7);
  CHECK(parser.final_fragment());
  parser.take(4);
  CHECK_FALSE(parser.inside_message());
  REQUIRE(parser.next(frame(frame_type::data, "h")).what == kind::data);
  CHECK(parser.announced() == 1);
}

TEST_CASE("what looks like frames inside a payload is payload") {
  auto inner = frame(frame_type::end);
  append(inner, frame(frame_type::abort_message));
  append(inner, frame(std::uint8_t{0x7f}));
  frame_log log(transmission::message, 1000);
  log.feed(frame(std::uint8_t{0}, inner));
  log.feed(frame(frame_type::end));
  CHECK(log.events() == std::vector<std::string>{"data " + to_hex(inner), "end"});
}

TEST_CASE("a byte connection takes a frame of 2^32-1 bytes and counts it exactly") {
  wire::frame_parser parser(transmission::byte, 0);
  REQUIRE(parser.next(wire::encode({.length = 0xffffffff})).what == kind::data);
  CHECK(parser.payload_left() == 0xffffffff);
  CHECK(parser.final_fragment());
}

TEST_CASE("the limit of a message holds at its edges, with any number of fragments before") {
  for (const std::uint32_t limit : {0u, 1u, 65536u, 0xfffffffeu, 0xffffffffu}) {
    wire::frame_parser fits(transmission::message, limit);
    CHECK(fits.next(wire::encode({.length = limit})).what == kind::data);
    if (limit == 0xffffffff) continue;
    wire::frame_parser exceeds(transmission::message, limit);
    CHECK(exceeds.next(wire::encode({.length = limit + 1})).code == errc::message_too_large);
    wire::frame_parser adds_up(transmission::message, limit);
    if (limit == 0) continue;
    REQUIRE(adds_up.next(wire::encode({.length = limit, .flags = wire::flag_more})).what == kind::data);
    adds_up.take(limit);
    CHECK(adds_up.next(wire::encode({.length = 1})).code == errc::message_too_large);
  }
}

TEST_CASE("a refused parser refuses everything after, with the same error and rule") {
  wire::frame_parser parser(transmission::message, 4);
  REQUIRE(parser.next(frame(frame_type::data, "12345")).what == kind::violation);
  const std::string rule(parser.broken_rule());
  CHECK_FALSE(rule.empty());
  for (const auto& bytes : {frame(frame_type::data, "1"), frame(frame_type::end), byte_vector{}}) {
    const auto e = parser.next(bytes);
    CHECK(e.what == kind::violation);
    CHECK(e.code == errc::message_too_large);
    CHECK(e.consumed == 0);
  }
  CHECK(parser.broken_rule() == rule);
}

TEST_CASE("every length of every control frame but the right ones is refused at its header") {
  for (unsigned type = 1; type < 256; ++type) {
    for (std::uint32_t length = 0; length < 600; ++length) {
      bool fine = type >= 0x80 && length <= 520;
      if (type == 1) fine = length == 0;
      if (type >= 2 && type <= 5) fine = length == 8;
      if (type == 6) fine = length >= 2 && length <= 514;
      if (type == 7) continue;  // never alone: see the table of moments
      wire::frame_parser parser(transmission::message, 10);
      const auto e = parser.next(wire::encode({.length = length, .type = static_cast<std::uint8_t>(type)}));
      if ((e.what != kind::violation) != fine) FAIL("type " << type << ", length " << length);
    }
  }
}

TEST_CASE("every flag but MORE on data is refused on a known frame, and looked at on no ignorable one") {
  for (unsigned type = 0; type < 256; ++type) {
    for (unsigned flags = 1; flags < 256; ++flags) {
      const std::string payload(type >= 2 && type <= 6 ? 8 : 1, 'x');
      wire::frame_parser parser(transmission::message, 10);
      const auto bytes =
          frame(static_cast<std::uint8_t>(type), bytes_of(payload), static_cast<std::uint8_t>(flags));
      const bool fine = type >= 0x80 || (type == 0 && flags == wire::flag_more);
      if ((parser.next(bytes).what != kind::violation) != fine) FAIL("type " << type << ", flags " << flags);
    }
  }
}

TEST_CASE("a reserved byte of any frame that is not zero is refused") {
  for (unsigned type = 0; type < 256; ++type) {
    for (const std::size_t at : {6u, 7u}) {
      auto bytes = frame(static_cast<std::uint8_t>(type), bytes_of("12345678"));
      bytes[at] = std::byte{0x80};
      wire::frame_parser parser(transmission::message, 10);
      CHECK(parser.next(bytes).what == kind::violation);
    }
  }
}

TEST_CASE("the longest close and the longest ignorable frame fit a buffer of 528 bytes") {
  const auto close = frame(frame_type::close, "\x01" + std::string(513, 'x'));
  wire::frame_parser parser(transmission::message, 10);
  const auto e = parser.next(close);
  REQUIRE(e.what == kind::close);
  CHECK(e.consumed == 8 + 2 + 512);
  CHECK(e.close_code == 1 + 256 * 'x');
  const auto ignorable = frame(std::uint8_t{0xff}, byte_vector(520));
  CHECK(ignorable.size() == 528);
  CHECK(parser.next(std::span(ignorable).first(527)).what == kind::needs_more);
  CHECK(parser.next(ignorable).consumed == 528);
}

}  // namespace tp::test
