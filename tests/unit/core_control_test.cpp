// Control frames and broken rules on a live connection: answered though nobody receives, bounded, and fatal
// where the protocol says.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

/// A connection that has received once and is idle now, so that it watches for control frames.
connection idle_connection(core_rig& rig, played_stream& stream, const core::terms& terms) {
  connection c = rig.connect(stream, terms);
  stream.feed(message_frames(bytes_of("first")));
  buffer into;
  got done;
  rig.go(c.receive(into), done);
  CHECK(done.at_once);
  rig.settle();
  return c;
}

}  // namespace

TEST_CASE(
    "a drain and a ping are answered though nobody receives, and an idle connection reads into nothing") {
  for (const auto& terms : {core_rig::messages(), core_rig::framed_bytes()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = idle_connection(rig, stream, terms);
    REQUIRE(stream.reading != nullptr);
    CHECK((stream.reading->into.empty() && stream.reading->spill.empty()));
    byte_vector asked = token_frame(wire::frame_type::drain, 77);
    append(asked, token_frame(wire::frame_type::ping, 78));
    for (const std::byte each : asked) {
      stream.feed({each});
      rig.settle();
    }
    byte_vector expected = token_frame(wire::frame_type::drained, 77);
    append(expected, token_frame(wire::frame_type::pong, 78));
    CHECK(stream.written == expected);
  }
}

TEST_CASE("a read that fails while nobody receives ends the connection, so that the peer waits for nothing") {
  for (const auto& terms : {core_rig::messages(), core_rig::framed_bytes()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = idle_connection(rig, stream, terms);
    REQUIRE(stream.reading != nullptr);
    stream.feed_error(errc::io_error);
    rig.settle();
    CHECK(stream.closed);
    sent data;
    got more;
    buffer into;
    rig.go(c.send("data"), data);
    rig.go(c.receive(into), more);
    CHECK((data.code() == errc::connection_lost && more.code() == errc::io_error));
  }
}

TEST_CASE("a drain behind data is answered only when the application has got the data") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = idle_connection(rig, stream, core_rig::messages());
  byte_vector all = message_frames(bytes_of("data"));
  append(all, token_frame(wire::frame_type::drain, 1));
  stream.feed(all);
  rig.settle();
  CHECK(stream.written.empty());
  std::array<std::byte, 3> part{};
  got first, second;
  rig.go(c.receive(part), first);
  rig.settle();
  CHECK(stream.written.empty());
  rig.go(c.receive(part), second);
  rig.settle();
  CHECK(stream.written == token_frame(wire::frame_type::drained, 1));
}

TEST_CASE("a peer with more than 32 questions open is cut off, those that a write has hold of included") {
  for (const bool in_one_read : {true, false}) {
    for (const std::uint64_t questions : {32u, 33u}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.write_rest = {0, errc::none, when::held};
      connection c = rig.connect(stream, core_rig::messages());
      buffer into;
      got done;
      rig.go(c.receive(into), done);
      byte_vector all;
      for (std::uint64_t i = 0; i < questions; ++i) {
        const auto type = i % 2 == 0 ? wire::frame_type::ping : wire::frame_type::drain;
        append(all, token_frame(type, i));
        if (in_one_read) continue;
        stream.feed(std::exchange(all, {}));
        rig.settle();
      }
      if (in_one_read) stream.feed(all);
      rig.settle();
      CHECK(stream.closed == (questions > 32));
      CHECK(done.code() == (questions > 32 ? errc::protocol_error : errc::none));
    }
  }
}

TEST_CASE("the questions of one read are answered in one write") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = idle_connection(rig, stream, core_rig::messages());
  byte_vector asked, expected;
  for (std::uint64_t i = 0; i < 10; ++i) append(asked, token_frame(wire::frame_type::ping, i));
  for (std::uint64_t i = 0; i < 10; ++i) append(expected, token_frame(wire::frame_type::pong, i));
  stream.writes.push_back({SIZE_MAX, errc::none, when::now});
  stream.write_rest.at = when::held;
  stream.feed(asked);
  rig.settle();
  CHECK((stream.written == expected && stream.writing == nullptr));
}

TEST_CASE("a question that was not agreed on breaks the protocol") {
  for (const auto type : {wire::frame_type::ping, wire::frame_type::drain}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    core::terms terms = core_rig::messages();
    terms.app_drain = terms.keepalive = false;
    connection c = idle_connection(rig, stream, terms);
    stream.feed(token_frame(type, 1));
    rig.settle();
    CHECK((stream.closed && stream.written == close_frame(1)));
  }
}

TEST_CASE("a peer that breaks the protocol is told so, and every operation ends with protocol_error") {
  const std::vector<byte_vector> wrong = {frame(8, {}), frame(wire::frame_type::abort_message),
                                          frame(0, pattern(3, 1), 0x80)};
  for (const byte_vector& bytes : wrong) {
    for (const bool receiving : {true, false}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = idle_connection(rig, stream, core_rig::messages());
      buffer into;
      got first, second;
      sent after;
      if (receiving) rig.go(c.receive(into), first);
      stream.feed(bytes);
      rig.settle();
      if (receiving) CHECK(first.code() == errc::protocol_error);
      rig.go(c.receive(into), second);
      rig.go(c.send("x"), after);
      CHECK((second.at_once && second.code() == errc::protocol_error));
      CHECK((stream.written == close_frame(1) && stream.closed));
      CHECK((after.at_once && after.code() == errc::protocol_error));
    }
  }
}

TEST_CASE("a broken rule ends a send that is pending") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = idle_connection(rig, stream, core_rig::messages());
  stream.write_rest = {0, errc::none, when::held};
  sent first, second;
  rig.go(c.send("first"), first);
  rig.go(c.send("second"), second);
  stream.feed(frame(9, {}));
  rig.settle();
  CHECK((first.code() == errc::protocol_error && second.code() == errc::protocol_error));
}

TEST_CASE("a message above the limit is refused at its header with its own error") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages(100));
  buffer into;
  got done;
  rig.go(c.receive(into), done);
  byte_vector header = frame(0, {});
  header[0] = header[1] = header[2] = header[3] = std::byte{0xff};
  stream.feed(header);
  rig.settle();
  CHECK((done.code() == errc::message_too_large && into.capacity() < 100'000));
  CHECK(done->error().message().find("4294967295 bytes where 100 are allowed") != std::string::npos);
  got again;
  sent after;
  rig.go(c.receive(into), again);
  rig.go(c.send("x"), after);
  CHECK((again.code() == errc::message_too_large && after.code() == errc::protocol_error));
}

TEST_CASE("a message given up by its sender fails one receive and the next gets the next message") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  buffer into;
  got first, second;
  rig.go(c.receive(into), first);
  byte_vector all = frame(0, bytes_of("half"), 1);
  append(all, frame(wire::frame_type::abort_message));
  append(all, message_frames(bytes_of("next")));
  stream.feed(all);
  rig.settle();
  CHECK(first.code() == errc::message_aborted);
  rig.go(c.receive(into), second);
  rig.settle();
  CHECK((second.done() && into.text() == "next"));
}

namespace {

/// What the application hears last, when the stream ends behind these frames: an error that isn't about one
/// message alone, or none for the end. `moment` may be a CLOSE, behind which nothing counts.
errc verdict_on(std::span<const std::byte> moment, std::span<const std::byte> next) {
  frame_log log(transmission::message, 1 << 20);
  log.feed(moment);
  if (log.events().empty() || !log.events().back().starts_with("close")) log.feed(next);
  if (log.refused()) return errc::protocol_error;
  return log.parser().inside_message() ? errc::connection_lost : errc::none;
}

/// Receives until nothing new can come: a lasting error, or none. The end isn't the last word: a frame behind
/// END may still break a rule.
errc last_word(core_rig& rig, connection& c) {
  buffer into;
  got done;
  for (int i = 0; i < 6; ++i) {
    rig.go(c.receive(into), done);
    rig.settle();
    REQUIRE(done.done());
    if (done.code() != errc::none && done.code() != errc::message_aborted) return done.code();
  }
  CHECK(((*done)->end));
  return errc::none;
}

}  // namespace

TEST_CASE("a frame of every type at every moment ends as the protocol says, and a broken rule with CLOSE 1") {
  const byte_vector moments[] = {
      {}, frame(0, bytes_of("ab"), 1), frame(wire::frame_type::end), close_frame(0)};
  for (const byte_vector& moment : moments) {
    for (unsigned type = 0; type < 256; type += type < 10 ? 1 : 41) {
      for (const std::size_t length : {std::size_t{0}, std::size_t{8}}) {
        const byte_vector next = frame(static_cast<std::uint8_t>(type), pattern(length, type));
        const errc expected = verdict_on(moment, next);
        core_rig rig;
        played_stream& stream = rig.stream();
        connection c = rig.connect(stream, core_rig::messages());
        if (!moment.empty()) stream.feed(moment);
        stream.feed(next);
        stream.feed_end();
        CAPTURE(to_hex(moment), type, length);
        CHECK(to_string(last_word(rig, c)) == to_string(expected));
        const bool refused = expected == errc::protocol_error;
        CHECK((stream.closed == refused && (!refused || stream.written == close_frame(1))));
      }
    }
  }
}
