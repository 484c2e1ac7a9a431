// What drain and close say of bytes that nobody confirmed, and how many confirmations they ask for.
#include <algorithm>
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

std::size_t drains_in(const byte_vector& written) {
  const auto parts = take_apart(written);
  return static_cast<std::size_t>(
      std::ranges::count_if(parts.frames, [](const plain_frame& each) { return each.type == 2; }));
}

/// A peer's last words, if any, and how the stream ends behind them.
struct farewell {
  int close_code = -1;
  bool reset = false;
  delivery expected = delivery::unknown;
};
void say(const farewell& end, played_stream& stream) {
  if (end.close_code >= 0) stream.feed(close_frame(static_cast<std::uint16_t>(end.close_code)));
  end.reset ? stream.feed_error(errc::connection_reset) : stream.feed_end();
}
const farewell farewells[] = {
    {0, false, delivery::delivered}, {0, true, delivery::unknown},    {2, false, delivery::discarded},
    {2, true, delivery::discarded},  {300, false, delivery::unknown}, {-1, false, delivery::unknown},
    {-1, true, delivery::discarded},
};

}  // namespace

TEST_CASE("a side that only received has nothing to lose: its drain and close succeed though the peer left") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  buffer into;
  got message, end;
  nothing drain;
  closing close;
  rig.go(c.receive(into), message);
  byte_vector all = message_frames(bytes_of("for you"));
  append(all, token_frame(wire::frame_type::drain, 1));
  append(all, close_frame(0));
  stream.feed(all);
  rig.go(c.receive(into), end);
  rig.settle();
  CHECK((end.done() && stream.written == drained(1)));
  stream.write_rest = {0, errc::broken_pipe};
  rig.go(c.drain(), drain);
  CHECK((drain.at_once && drain.code() == errc::none));
  rig.go(c.close(), close);
  rig.settle();
  CHECK(outcome_of(close) == delivery::delivered);
}

TEST_CASE("of bytes that nobody confirmed the peer's last frame and the end of the stream tell") {
  for (const farewell& end : farewells) {
    for (const bool heard_before : {true, false}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = rig.connect(stream, core_rig::messages());
      sent data;
      closing close;
      got last;
      buffer into;
      rig.go(c.send("data"), data);
      stream.write_rest = {0, errc::broken_pipe};
      if (heard_before) {
        rig.go(c.receive(into), last);
        say(end, stream);
        rig.settle();
        CHECK((last.done() && (*last)->end));
      }
      rig.go(c.close(), close);
      if (!heard_before) say(end, stream);
      rig.settle();
      CAPTURE(end.close_code, end.reset, heard_before);
      CHECK(outcome_of(close) == end.expected);
    }
  }
}

TEST_CASE("a drain succeeds if the peer closed without having left anything unread") {
  for (const farewell& end : farewells) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, core_rig::messages());
    sent data;
    nothing drain;
    rig.go(c.send("data"), data);
    rig.go(c.drain(), drain);
    say(end, stream);
    rig.settle();
    CAPTURE(end.close_code, end.reset);
    REQUIRE(drain.done());
    CHECK(drain.code() == (end.expected == delivery::delivered ? errc::none : errc::discarded));
  }
}

TEST_CASE("a send that failed is lost whatever the peer says") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, terms);
    sent data;
    nothing drain;
    closing close;
    stream.write_rest = {0, errc::broken_pipe};
    rig.go(c.send("data"), data);
    rig.go(c.drain(), drain);
    CHECK((data.code() == errc::broken_pipe && drain.code() == errc::discarded));
    if (terms.framed) stream.feed(close_frame(0));
    stream.feed_end();
    rig.go(c.close(), close);
    rig.settle();
    CHECK(outcome_of(close) == delivery::discarded);
  }
}

TEST_CASE("a close takes over the kernel's drain that was under way and is not ended by its stop") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.drain_answer.at = when::held;
  connection c = rig.connect(stream, core_rig::plain_bytes());
  sent data;
  nothing drain;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.drain().within(1s), drain);
  rig.go(c.close().within(10s), close);
  rig.pass(2s);
  CHECK((drain.code() == errc::closed && !close.done()));
  stream.finish(stream.draining);
  rig.settle();
  REQUIRE_FALSE(close.done());  // that drain was begun before the close
  stream.finish(stream.draining);
  CHECK(outcome_of(close) == delivery::delivered);
}

TEST_CASE("a close that meets the stop of a drain asks the kernel again") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.drain_answer.at = when::held;
  connection c = rig.connect(stream, core_rig::plain_bytes());
  sent data;
  nothing drain;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.drain().within(1s), drain);
  static_cast<void>(rig.runtime->turn(rig.system->now() + 1s));
  REQUIRE((stream.draining == nullptr && !drain.done()));  // it was cancelled, and hasn't ended yet
  rig.go(c.close(), close);
  rig.settle();
  CHECK((drain.code() == errc::timed_out && !close.done()));
  REQUIRE(stream.draining != nullptr);
  stream.finish(stream.draining);
  CHECK(outcome_of(close) == delivery::delivered);
}

TEST_CASE("a drain asked again with nothing sent in between waits for the answer to the first") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  rig.go(c.send("data"), data);
  for (int i = 0; i < 100; ++i) {
    nothing lost;
    rig.go(c.drain().within(10ms), lost);
    rig.pass(10ms);
    CHECK(lost.code() == errc::timed_out);
  }
  CHECK(drains_in(stream.written) == 1);
  nothing last;
  rig.go(c.drain(), last);
  stream.feed(drained(1));
  rig.settle();
  CHECK((last.done() && last.code() == errc::none));
}

TEST_CASE("at most 16 drains are unanswered; one more waits for an answer, and so does close") {
  for (const bool close_last : {false, true}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, core_rig::messages());
    for (int i = 0; i < 30; ++i) {
      sent data;
      nothing lost;
      rig.go(c.send("data"), data);
      rig.go(c.drain().within(10ms), lost);
      rig.pass(10ms);
    }
    CHECK(drains_in(stream.written) == 16);
    nothing drain;
    closing close;
    close_last ? rig.go(c.close(), close) : rig.go(c.drain(), drain);
    stream.feed(drained(1));
    rig.settle();
    CHECK((drains_in(stream.written) == 17 && !drain.done() && !close.done()));
    for (std::uint64_t token = 2; token <= 17; ++token) stream.feed(drained(token));
    rig.settle();
    if (close_last) CHECK(outcome_of(close) == delivery::delivered);
    if (!close_last) CHECK((drain.done() && drain.code() == errc::none));
  }
}
