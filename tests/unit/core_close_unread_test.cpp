// Closing while data lies unread, on one side or on both.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

TEST_CASE("a closing side tells of data that it threw away while it still waits for its own confirmation") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.close(), close);
  byte_vector late = message_frames(bytes_of("late"));
  append(late, token_frame(wire::frame_type::drain, 5));
  append(late, token_frame(wire::frame_type::ping, 6));
  stream.feed(late);
  rig.settle();
  stream.feed(token_frame(wire::frame_type::ping, 7));
  rig.settle();
  CHECK_FALSE(close.done());
  byte_vector expected = message_frames(bytes_of("data"));
  append(expected, token_frame(wire::frame_type::drain, 1));
  append(expected, token_frame(wire::frame_type::pong, 6));
  append(expected, close_frame(2));
  CHECK(stream.written == expected);
  stream.feed(close_frame(2));
  rig.settle();
  CHECK((outcome_of(close) == delivery::discarded && stream.closed && stream.written == expected));
}

TEST_CASE("a close says that data came behind the confirmation of its own, and was thrown away") {
  for (const bool in_one_read : {true, false}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, core_rig::messages());
    sent data;
    closing close;
    rig.go(c.send("data"), data);
    rig.go(c.close(), close);
    byte_vector answer = token_frame(wire::frame_type::drained, 1);
    const byte_vector late = message_frames(bytes_of("late"));
    in_one_read ? append(answer, late) : stream.reads.push_back({late});
    if (!in_one_read) stream.reads.push_front({answer, errc::none, when::later});
    in_one_read ? stream.feed(answer) : stream.feed({});
    rig.settle();
    CHECK((outcome_of(close) == delivery::delivered && stream.closed));
    CHECK((frame(6, take_apart(stream.written).frames.back().payload) == close_frame(2)));
  }
}

TEST_CASE("a close says that data was thrown away which no read had brought when it began") {
  for (const bool receives : {false, true}) {
    for (const bool by_cancel : {false, true}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = rig.connect(stream, core_rig::messages());
      buffer into;
      got receive;
      closing close;
      if (receives) rig.go(c.receive(into), receive);
      rig.settle();
      const byte_vector unread = message_frames(bytes_of("never received"));
      if (by_cancel) stream.met_by_cancel = unread;
      if (!by_cancel) stream.reads.push_back({unread, errc::none, when::later});
      rig.go(c.close(), close);
      rig.settle();
      CHECK((outcome_of(close) == delivery::delivered && stream.written == close_frame(2)));
      CHECK(receive.code() == (receives ? errc::closed : errc::none));
    }
  }
}

TEST_CASE("a close says that data was thrown away which its stream gives byte by byte") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  closing close;
  byte_vector unread = token_frame(wire::frame_type::drain, 1);
  append(unread, message_frames(bytes_of("never received")));
  for (const std::byte each : unread) stream.reads.push_back({{each}});
  rig.go(c.close(), close);
  rig.settle();
  CHECK((outcome_of(close) == delivery::delivered));
  CHECK((frame(6, take_apart(stream.written).frames.back().payload) == close_frame(2)));
}

TEST_CASE("a close whose last frame says that nothing was thrown away reads no more") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes = {{0, errc::none, when::held}};
  connection c = rig.connect(stream, core_rig::messages());
  closing close;
  rig.go(c.close(), close);
  rig.settle();
  stream.feed(message_frames(bytes_of("too late to be seen")));
  rig.settle();
  CHECK((stream.reads.size() == 1 && !close.done()));  // so the peer's system can tell that it was unread
  stream.finish_write(SIZE_MAX);
  rig.settle();
  CHECK((outcome_of(close) == delivery::delivered && stream.written == close_frame(0)));
}

TEST_CASE("the frame that tells of thrown away data does not overtake what is still to be sent") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes = {{0, errc::none, when::held}, {0, errc::none, when::held}};
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.close(), close);
  stream.feed(message_frames(bytes_of("late")));
  rig.settle();
  stream.finish_write(SIZE_MAX);
  stream.finish_write(SIZE_MAX);
  rig.settle();
  byte_vector expected = message_frames(bytes_of("data"));
  append(expected, token_frame(wire::frame_type::drain, 1));
  append(expected, close_frame(2));
  CHECK((stream.written == expected && !close.done()));
  stream.feed(token_frame(wire::frame_type::drained, 1));
  rig.settle();
  CHECK((outcome_of(close) == delivery::delivered && stream.written == expected));
}

TEST_CASE("a peer that threw data away and waits for us ends a drain, and gets our close") {
  for (const bool still_writing : {false, true}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    if (still_writing) stream.writes = {{0, errc::none, when::held}};
    connection c = rig.connect(stream, core_rig::messages());
    sent data;
    nothing before, after;
    closing close;
    rig.go(c.send("data"), data);
    rig.go(c.drain(), before);
    rig.settle();
    stream.feed(close_frame(2));
    rig.settle();
    CHECK(before.code() == errc::discarded);
    rig.go(c.drain(), after);
    CHECK(after.code() == errc::discarded);
    rig.go(c.close(), close);
    if (still_writing) stream.finish_write(SIZE_MAX);
    rig.settle();
    CHECK((outcome_of(close) == delivery::discarded && stream.closed));
    CHECK((frame(6, take_apart(stream.written).frames.back().payload) == close_frame(0)));
  }
}

TEST_CASE("a close that could not ask for a confirmation before it told of a loss is unknown") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  for (std::uint64_t i = 0; i < 17; ++i) {
    sent data;
    nothing drain;
    rig.go(c.send("data"), data);
    if (i < 16) rig.go(c.drain().within(1s), drain);
    rig.pass(1s);
  }
  closing close;
  rig.go(c.close(), close);
  stream.feed(message_frames(bytes_of("late")));
  rig.settle();
  CHECK_FALSE(close.done());
  for (std::uint64_t token = 1; token <= 16; ++token) {
    CHECK_FALSE(close.done());
    stream.feed(token_frame(wire::frame_type::drained, token));
    rig.settle();
  }
  CHECK(outcome_of(close) == delivery::unknown);
}
