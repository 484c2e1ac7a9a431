// The receiving half when a receive is taken back, when nobody receives, and when the stream ends or lies.
#include <catch2/catch.hpp>

#include "core_inbound_support.hpp"

using namespace tp;
using namespace tp::test;
using strings = std::vector<std::string>;
using state = inbound_rig::state;

namespace {

byte_vector two_messages() {
  byte_vector made = message_frames(bytes_of("abcdef"), 2);
  append(made, message_frames(bytes_of("second")));
  return made;
}

strings read_all(inbound_rig& rig) {
  return all_messages(rig, [](inbound_rig& r) { return r.receive_buffer(); });
}

/// One byte at a time, `bytes` of them, while a receive is under way.
void feed(inbound_rig& rig, std::size_t bytes) {
  rig.ends = false;
  const std::size_t target = rig.bytes_read + bytes;
  while (rig.bytes_read < target && rig.advance() == core::inbound::step::needs_bytes) {
    if (!rig.read_once()) return;
  }
}

}  // namespace

TEST_CASE("a receive into a buffer stopped at any byte is continued by the next") {
  for (std::size_t at = 0; at < two_messages().size(); ++at) {
    inbound_rig rig(transmission::message, true, 100, two_messages());
    rig.half.begin(rig.buffer_memory);
    feed(rig, at);
    if (rig.half.receiving()) {
      CHECK_FALSE(rig.half.cancel());
      CHECK(rig.buffer_memory.empty());
    }
    rig.ends = true;
    CAPTURE(at);
    const strings got = read_all(rig);
    CHECK(got.back() == "[end]");
    CHECK(got[got.size() - 2] == "second");
    if (at < 30) CHECK(got.front() == "abcdef");
  }
}

TEST_CASE("a receive into a buffer stopped again and again loses nothing") {
  inbound_rig rig(transmission::message, true, 100, two_messages());
  strings got;
  for (int i = 0; i < 1000 && got.size() < 2; ++i) {
    rig.half.begin(rig.buffer_memory);
    feed(rig, 1);
    const auto step = rig.half.receiving() ? rig.advance() : core::inbound::step::received;
    if (step == core::inbound::step::received) {
      got.emplace_back(rig.buffer_memory.text());
    } else if (rig.half.receiving()) {
      REQUIRE_FALSE(rig.half.cancel());
    }
  }
  CHECK(got == strings{"abcdef", "second"});
}

TEST_CASE("a receive into a span that holds a part succeeds with it when it is stopped") {
  for (std::size_t at = 0; at < 30; ++at) {
    inbound_rig rig(transmission::message, true, 100, two_messages());
    rig.span_memory.assign(100, std::byte{});
    rig.half.begin(std::span(rig.span_memory));
    feed(rig, at);
    if (!rig.half.receiving()) continue;
    const bool holds = rig.half.cancel();
    std::string first;
    if (holds) {
      CHECK((!rig.half.outcome().complete && rig.half.outcome().bytes > 0));
      first.assign(reinterpret_cast<const char*>(rig.span_memory.data()), rig.half.outcome().bytes);
    }
    rig.ends = true;
    CAPTURE(at);
    const strings rest = read_all(rig);
    CHECK(first + rest[0] == "abcdef");
    CHECK(rest[1] == "second");
  }
}

TEST_CASE("a part kept from a stopped receive is delivered into spans of any size") {
  for (std::size_t size = 1; size <= 8; ++size) {
    inbound_rig rig(transmission::message, true, 100, two_messages());
    rig.half.begin(rig.buffer_memory);
    feed(rig, 20);  // two fragments
    REQUIRE_FALSE(rig.half.cancel());
    rig.ends = true;
    std::string text;
    do {
      REQUIRE(rig.receive_span(size) == state::received);
      text.append(reinterpret_cast<const char*>(rig.taken.data()), rig.taken.size());
    } while (!rig.half.outcome().complete);
    CAPTURE(size);
    CHECK(text == "abcdef");
    CHECK(read_all(rig) == strings{"second", "[end]"});
  }
}

TEST_CASE("a part kept from a stopped receive is not delivered once its sender has given the message up") {
  for (std::size_t size = 1; size <= 8; ++size) {
    byte_vector stream = frame(0, bytes_of("abcd"), 1);
    append(stream, frame(wire::frame_type::abort_message));
    append(stream, message_frames(bytes_of("second")));
    inbound_rig rig(transmission::message, true, 100, stream);
    rig.half.begin(rig.buffer_memory);
    feed(rig, 13);
    REQUIRE_FALSE(rig.half.cancel());
    rig.ends = true;
    CHECK(rig.run() == state::idle);  // in the background it learns of the abort
    CHECK(rig.receive_span(size) == state::failed);
    CHECK(rig.half.failure() == errc::message_aborted);
    CHECK(read_all(rig) == strings{"second", "[end]"});
  }
}

TEST_CASE("with nobody receiving control frames are read and data waits") {
  byte_vector stream = token_frame(wire::frame_type::ping, 1);
  append(stream, token_frame(wire::frame_type::drain, 2));
  append(stream, message_frames(bytes_of("data")));
  append(stream, token_frame(wire::frame_type::ping, 3));
  for (const std::size_t step : sizes{1, 5, 1000}) {
    inbound_rig rig(transmission::message, true, 100, stream);
    rig.appetite = [step](std::size_t) { return step; };
    CHECK(rig.run() == state::idle);
    CHECK(rig.controls == strings{"ping 1", "drain 2"});
    CHECK(read_all(rig) == strings{"data", "[end]"});
    CHECK(rig.controls.back() == "ping 3");
  }
}

TEST_CASE("a side that is closing forgets data and still reads control frames") {
  byte_vector stream = message_frames(pattern(100'000, 1), 40'000);
  append(stream, token_frame(wire::frame_type::drained, 9));
  inbound_rig rig(transmission::message, true, 1 << 20, stream);
  rig.appetite = [](std::size_t most) { return most; };
  rig.half.discard_data();
  CHECK(rig.run() == state::idle);
  CHECK(rig.controls == strings{"drained 9"});
  CHECK(rig.half.stream_ended());
}

TEST_CASE("an end at any byte is the end between frames and a lost connection inside") {
  const byte_vector all = two_messages();
  const std::vector<std::size_t> between = {0, 30, all.size()};
  for (const bool reset : {false, true}) {
    for (std::size_t at = 0; at <= all.size(); ++at) {
      inbound_rig rig(transmission::message, true, 100,
                      {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at)});
      rig.reset = reset;
      CAPTURE(at, reset);
      const std::string last = read_all(rig).back();
      const bool clean = std::ranges::find(between, at) != between.end();
      CHECK(last == (!clean ? "[connection_lost]" : reset ? "[end, discarded]" : "[end]"));
      CHECK(read_all(rig) == strings{last});  // and so says every later receive
    }
  }
}

TEST_CASE("an end inside framed bytes is a lost connection, after what came") {
  const byte_vector all = frame(0, bytes_of("abcd"));
  for (std::size_t at = 0; at <= all.size(); ++at) {
    inbound_rig rig(transmission::byte, true, 0,
                    {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at)});
    const strings got = read_all(rig);
    std::string text;
    for (std::size_t i = 0; i + 1 < got.size(); ++i) text += got[i];
    CHECK(text == std::string("abcd").substr(0, at > 8 ? at - 8 : 0));
    CHECK(got.back() == (at == 0 || at == all.size() ? "[end]" : "[connection_lost]"));
  }
}

TEST_CASE("nothing that follows a close is looked at") {
  for (const int code : {0, 1, 2, 3, 300}) {
    byte_vector stream = message_frames(bytes_of("last"));
    append(stream, close_frame(static_cast<std::uint16_t>(code)));
    append(stream, bytes_of("garbage that is no frame at all"));
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
      inbound_rig rig(transmission::message, true, 100, stream);
      rig.appetite = [step](std::size_t) { return step; };
      const std::string last = code == 1 ? "[protocol_error]" : code == 2 ? "[end, discarded]" : "[end]";
      CHECK(read_all(rig) == strings{"last", last});
      CHECK(read_all(rig) == strings{last});
      CHECK((rig.half.closed_by_peer() && rig.half.closed_normally() == (code == 0)));
    }
  }
}

TEST_CASE(
    "a frame of every type is refused or taken at every moment as the protocol says, and never crashes") {
  const byte_vector moments[] = {
      {}, frame(0, bytes_of("ab"), 1), frame(wire::frame_type::end), message_frames({})};
  for (const byte_vector& moment : moments) {
    for (unsigned type = 0; type < 256; ++type) {
      for (const std::size_t length : {std::size_t{0}, std::size_t{2}, std::size_t{8}, std::size_t{521}}) {
        for (const int flags : {0, 1, 2}) {
          byte_vector stream = moment;
          append(stream, frame(static_cast<std::uint8_t>(type), pattern(length, type),
                               static_cast<std::uint8_t>(flags)));
          frame_log expected(transmission::message, 100);
          expected.feed(stream);
          inbound_rig rig(transmission::message, true, 100, stream);
          rig.appetite = [](std::size_t most) { return most; };
          const std::string last = read_all(rig).back();
          const bool refused = last == "[protocol_error]" || last == "[message_too_large]";
          if (refused != expected.refused())
            FAIL_CHECK("type " << type << ", length " << length << ", flags " << flags);
        }
      }
    }
  }
}

TEST_CASE("after a broken rule every receive says so") {
  byte_vector stream = frame(0, pattern(101, 1));
  inbound_rig rig(transmission::message, true, 100, stream);
  rig.appetite = [](std::size_t most) { return most; };
  CHECK(rig.receive_buffer() == state::broken);
  CHECK(rig.half.failure() == errc::message_too_large);
  CHECK(rig.receive_span(10) == state::failed);
  CHECK(rig.half.failure() == errc::message_too_large);
}

TEST_CASE("a read error ends every receive with its code") {
  for (const bool framed : {false, true}) {
    inbound_rig rig(transmission::byte, framed, 0, {});
    rig.ends = false;
    CHECK(rig.receive_span(10) == state::stuck);
    rig.half.fail(errc::io_error);
    CHECK(rig.run() == state::failed);
    CHECK(rig.receive_buffer() == state::failed);
    CHECK(rig.half.failure() == errc::io_error);
  }
}
