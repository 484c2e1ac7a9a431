// The receiving half of a connection, sans-IO: the same frames must give the same messages however the bytes
// come and whatever they are received into.
#include <catch2/catch.hpp>
#include <numeric>

#include "core_inbound_support.hpp"

using namespace tp;
using namespace tp::test;
using strings = std::vector<std::string>;
using state = inbound_rig::state;

namespace {

/// Every kind of data frame with every control frame between them.
byte_vector lively_stream() {
  byte_vector made;
  append(made, message_frames(bytes_of("hello")));
  append(made, token_frame(wire::frame_type::ping, 1));
  append(made, message_frames({}));
  append(made, message_frames(bytes_of("fragments"), 4));
  append(made, token_frame(wire::frame_type::drain, 2));
  append(made, frame(0, bytes_of("given"), 1));
  append(made, token_frame(wire::frame_type::drained, 3));
  append(made, frame(wire::frame_type::abort_message));
  append(made, frame(0, bytes_of("ab"), 1));
  append(made, token_frame(wire::frame_type::pong, 4));
  append(made, frame(0x85, bytes_of("to be ignored")));
  append(made, frame(0, {}));
  append(made, frame(wire::frame_type::end));
  append(made, token_frame(wire::frame_type::drain, 5));
  return made;
}
const strings lively_messages = {"hello", "", "fragments", "[aborted]", "ab", "[end]"};
const strings lively_controls = {"ping 1", "drain 2", "drained 3", "aborted", "pong 4", "end", "drain 5"};

inbound_rig lively() {
  return {transmission::message, true, 100, lively_stream()};
}

/// What parts of a message were received in, put together again.
strings joined(const strings& parts) {
  strings made;
  std::string message;
  for (const std::string& part : parts) {
    const bool partial = part.starts_with("(partial)");
    message += partial ? part.substr(9) : part;
    if (partial) continue;
    made.push_back(part.starts_with('[') ? part : message);
    message.clear();
  }
  return made;
}

}  // namespace

TEST_CASE("messages are the same whether bytes come one at a time, all at once or cut anywhere") {
  const std::size_t size = lively_stream().size();
  for (std::size_t cut = 0; cut <= size; ++cut) {
    inbound_rig rig = lively();
    // The first read stops at the cut, the second takes the rest; at 0 each read brings one byte.
    rig.appetite = [&](std::size_t most) {
      return cut == 0 ? 1 : rig.bytes_read < cut ? cut - rig.bytes_read : most;
    };
    CAPTURE(cut);
    CHECK(all_messages(rig, [](inbound_rig& r) { return r.receive_buffer(); }) == lively_messages);
    CHECK(rig.run() == state::idle);
    CHECK(rig.controls == lively_controls);
  }
}

TEST_CASE("a message is received in parts of any size and complete only with the last") {
  for (std::size_t size = 1; size <= 12; ++size) {
    for (const std::size_t step : sizes{1, 2, 3, 1000}) {
      inbound_rig rig = lively();
      rig.appetite = [&](std::size_t) { return step; };
      CAPTURE(size, step);
      CHECK(joined(all_messages(rig, [&](inbound_rig& r) { return r.receive_span(size); })) ==
            lively_messages);
      CHECK(rig.run() == state::idle);
      CHECK(rig.controls == lively_controls);
    }
  }
}

TEST_CASE("an empty span gets nothing of a message, and the empty message whole") {
  inbound_rig rig(transmission::message, true, 100, message_frames(bytes_of("x")));
  append(rig.taken, bytes_of("stale"));
  REQUIRE(rig.receive_span(0) == state::received);
  CHECK((rig.half.outcome().bytes == 0 && !rig.half.outcome().complete && !rig.half.outcome().end));
  CHECK(rig.receive_span(5) == state::received);
  inbound_rig empty(transmission::message, true, 100, message_frames({}));
  REQUIRE(empty.receive_span(0) == state::received);
  CHECK((empty.half.outcome().complete && !empty.half.outcome().end));
}

TEST_CASE("a span as large as the message takes it whole") {
  inbound_rig rig(transmission::message, true, 100, message_frames(bytes_of("four")));
  REQUIRE(rig.receive_span(4) == state::received);
  CHECK(rig.half.outcome().complete);
  inbound_rig late(transmission::message, true, 100, message_frames(bytes_of("four"), 2));
  REQUIRE(late.receive_span(4) == state::received);
  CHECK(late.half.outcome().complete);
}

TEST_CASE("the payload of a large message is read straight into the caller's memory") {
  const byte_vector payload = pattern(300'000, 1);
  inbound_rig rig(transmission::message, true, 1 << 20, message_frames(payload));
  rig.appetite = [](std::size_t most) { return most; };
  REQUIRE(rig.receive_buffer() == state::received);
  CHECK((rig.taken == payload));
  CHECK(rig.direct_bytes > 200'000);
  CHECK(rig.receive_span(10) == state::received);
  CHECK(rig.half.outcome().end);
}

TEST_CASE("what comes behind a message in the same read is kept for the next") {
  const byte_vector payload = pattern(40'000, 2);
  byte_vector stream = message_frames(payload);
  for (int i = 0; i < 50; ++i) append(stream, message_frames(bytes_of("next")));
  for (const std::size_t step : sizes{1000, 16'383, 16'384, 16'385, 40'100, 100'000}) {
    inbound_rig rig(transmission::message, true, 1 << 20, stream);
    rig.appetite = [&](std::size_t) { return step; };
    REQUIRE(rig.receive_span(40'000) == state::received);
    CHECK((rig.taken == payload && rig.half.outcome().complete));
    CHECK(all_messages(rig, [](inbound_rig& r) { return r.receive_buffer(); }).size() == 51);
  }
}

TEST_CASE("memory grows with the bytes that came and not with the length announced") {
  byte_vector stream = frame(0, {});
  stream[0] = stream[1] = stream[2] = std::byte{0xff};  // 16 MiB announced, 100 bytes come
  append(stream, pattern(100, 3));
  inbound_rig rig(transmission::message, true, std::size_t{64} << 20, stream);
  rig.ends = false;
  CHECK(rig.receive_buffer() == state::stuck);
  CHECK(rig.buffer_memory.capacity() <= 32 * 1024);
}

TEST_CASE("framed bytes arrive in order, and the end behind them") {
  byte_vector stream;
  const byte_vector all = pattern(5000, 4);
  for (std::size_t at = 0; at < all.size(); at += 1000)
    append(stream, frame(0, std::span(all).subspan(at, 1000)));
  append(stream, frame(wire::frame_type::end));
  for (const std::size_t size : sizes{1, 7, 999, 1000, 1001, 5000, 6000}) {
    inbound_rig rig(transmission::byte, true, 0, stream);
    rig.appetite = [](std::size_t most) { return std::min<std::size_t>(most, 700); };
    byte_vector got;
    while (rig.receive_span(size) == state::received && !rig.half.outcome().end) {
      REQUIRE((rig.half.outcome().complete && rig.half.outcome().bytes > 0));
      append(got, rig.taken);
    }
    CHECK((got == all && rig.half.outcome().end));
  }
}

TEST_CASE("plain bytes arrive in order, and the end is said again and again") {
  const byte_vector all = pattern(5000, 5);
  for (const bool reset : {false, true}) {
    inbound_rig rig(transmission::byte, false, 0, all);
    rig.appetite = [](std::size_t most) { return std::min<std::size_t>(most, 600); };
    rig.reset = reset;
    byte_vector got;
    while (rig.receive_buffer() == state::received && !rig.half.outcome().end) append(got, rig.taken);
    CHECK((got == all && rig.half.outcome().end && rig.half.outcome().discarded == reset));
    for (int again = 0; again < 3; ++again) {
      CHECK(rig.receive_span(3) == state::received);
      CHECK(
          (rig.half.outcome().end && rig.half.outcome().discarded == reset && rig.half.outcome().bytes == 0));
    }
  }
}

TEST_CASE("the receiving half holds a block only while bytes wait in it that nobody asked for") {
  byte_vector stream = message_frames(pattern(100, 1));
  append(stream, message_frames(pattern(100, 2)));
  inbound_rig rig(transmission::message, true, 1000, stream);
  rig.appetite = [](std::size_t most) { return most; };
  CHECK(rig.receive_span(100) == inbound_rig::state::received);
  CHECK(rig.blocks.lent() == 1);
  CHECK(rig.receive_span(100) == inbound_rig::state::received);
  CHECK(rig.blocks.lent() == 0);
}

TEST_CASE(
    "of a large message only what came with its header is copied, and the next header comes with its end") {
  const std::size_t size = 100'000;
  byte_vector stream = message_frames(pattern(size, 1));
  append(stream, message_frames(pattern(size, 2)));
  inbound_rig rig(transmission::message, true, size, stream);
  rig.appetite = [](std::size_t most) { return most; };
  REQUIRE(rig.receive_span(size) == inbound_rig::state::received);
  CHECK(rig.direct_bytes == size + 8 - sizeof(core::read_block));
  CHECK(rig.bytes_read == size + 16);
  REQUIRE(rig.receive_span(size) == inbound_rig::state::received);
  CHECK((rig.taken == pattern(size, 2) && rig.blocks.lent() == 0));
  CHECK(rig.direct_bytes == 2 * size + 8 - sizeof(core::read_block));
}
