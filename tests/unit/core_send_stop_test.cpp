// Sends that are stopped or run out of time at every point of their way.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

const byte_vector large = pattern(100'000, 1);

/// How a send is taken back.
enum class by : std::uint8_t { token, deadline };

struct stopping {
  explicit stopping(by w) : way(w) {}
  awaitable<send_result> arm(awaitable<send_result> op) {
    return way == by::token ? std::move(op).unless(source.get_token()) : std::move(op).within(5s);
  }
  void stop(core_rig& rig) {
    if (way == by::token) {
      rig.user_call([&] { source.request_stop(); });
      rig.settle();
    } else {
      rig.pass(5s);
    }
  }
  [[nodiscard]] errc code() const { return way == by::token ? errc::cancelled : errc::timed_out; }
  by way;
  std::stop_source source;
};

}  // namespace

TEST_CASE("a send stopped before it starts writes nothing") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  std::stop_source source;
  source.request_stop();
  FORBID_CALL(stream.mock, write(trompeloeil::_));
  sent done;
  rig.go(c.send("x").unless(source.get_token()), done);
  CHECK((done.at_once && done.code() == errc::cancelled));
}

TEST_CASE("a deadline that has passed still allows one attempt that does not wait") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  sent done;
  rig.go(c.send("x").within(-1s), done);
  CHECK((done.at_once && done.code() == errc::none));
}

TEST_CASE("a send stopped in the queue sends nothing and its neighbours go on") {
  for (const by way : {by::token, by::deadline}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    connection c = rig.connect(stream, core_rig::messages());
    stopping stop(way);
    sent first, second, third;
    rig.go(c.send("first"), first);
    rig.go(stop.arm(c.send("second")), second);
    rig.go(c.send("third"), third);
    stop.stop(rig);
    CHECK(second.code() == stop.code());
    CHECK_FALSE(first.done());
    stream.finish_write(13);
    byte_vector expected = message_frames(bytes_of("first"));
    append(expected, message_frames(bytes_of("third")));
    CHECK(stream.written == expected);
    CHECK((first.done() && third.done()));
  }
}

TEST_CASE("bytes stopped on their way answer how many went") {
  for (const by way : {by::token, by::deadline}) {
    for (const std::size_t took : sizes{0, 1, 50'000, 99'999}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.writes.push_back({0, errc::none, when::held});
      stream.cancelled_write_takes = took;
      connection c = rig.connect(stream, core_rig::plain_bytes());
      stopping stop(way);
      sent first, second;
      rig.go(stop.arm(c.send(large)), first);
      rig.go(c.send("behind"), second);
      stop.stop(rig);
      REQUIRE((first.done() && second.done()));
      if (took == 0) CHECK(first.code() == stop.code());
      if (took > 0) CHECK(**first == took);
      CHECK(stream.written.size() == took + 6);
    }
  }
}

TEST_CASE("bytes stopped on their way answer how many went, though the write behind them fails") {
  for (const by way : {by::token, by::deadline}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    stream.writes.push_back({0, errc::broken_pipe});
    stream.cancelled_write_takes = 1000;
    connection c = rig.connect(stream, core_rig::plain_bytes());
    stopping stop(way);
    sent first, second;
    rig.go(stop.arm(c.send(large)), first);
    rig.go(c.send("behind"), second);
    stop.stop(rig);
    REQUIRE((first.done() && second.done()));
    CHECK((first.code() == errc::none && **first == 1000));
    CHECK(second.code() == errc::broken_pipe);
  }
}

TEST_CASE("a message stopped on its way is given up before the next one begins") {
  for (const by way : {by::token, by::deadline}) {
    for (const std::size_t took : sizes{0, 1, 8, 65'543, 65'544, 65'545, 100'015}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.writes.push_back({0, errc::none, when::held});
      stream.cancelled_write_takes = took;
      connection c = rig.connect(stream, core_rig::messages());
      stopping stop(way);
      sent first, second;
      rig.go(stop.arm(c.send(large)), first);
      rig.go(c.send("behind"), second);
      stop.stop(rig);
      CAPTURE(took);
      REQUIRE((first.done() && second.done()));
      byte_vector expected;
      if (took > 65'544) {
        CHECK(first.code() == errc::none);  // its last piece was under way and had to go
        expected = message_frames(large, 65536);
      } else {
        CHECK(first.code() == stop.code());
        if (took > 0) expected = frame(0, std::span(large).first(65536), 1);
        if (took > 0) append(expected, frame(wire::frame_type::abort_message));
      }
      append(expected, message_frames(bytes_of("behind")));
      CHECK((stream.written == expected));
    }
  }
}

TEST_CASE("a stop that meets the completion changes nothing") {
  for (const by way : {by::token, by::deadline}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    stream.cancel_meets_completion = true;
    connection c = rig.connect(stream, core_rig::messages());
    stopping stop(way);
    sent done;
    rig.go(stop.arm(c.send(large)), done);
    stop.stop(rig);
    REQUIRE(done.done());
    CHECK(**done == large.size());
  }
}

TEST_CASE("where counts are not exact a stopped send waits for the write that has hold of it") {
  core_rig rig;
  rig.features.exact_write = false;
  played_stream& stream = rig.stream();
  stream.writes.push_back({0, errc::none, when::held});
  connection c = rig.connect(stream, core_rig::messages());
  FORBID_CALL(stream.mock, cancel(trompeloeil::_));
  stopping stop(by::token);
  sent first;
  const byte_vector payload = pattern(400'000, 1);
  rig.go(stop.arm(c.send(payload)), first);
  stop.stop(rig);
  CHECK_FALSE(first.done());
  rig.pass(900ms);
  CHECK_FALSE(first.done());
  stream.finish_write(SIZE_MAX);
  CHECK(first.code() == errc::cancelled);
  const auto parts = take_apart(stream.written);
  CHECK((parts.left_over == 0 && parts.frames.back().type == 7));
  rig.pass(2s);  // the grace of a send that is gone is nobody's
  CHECK_FALSE(stream.closed);
}

TEST_CASE("a message that cannot be withdrawn within a second ends the connection") {
  for (const bool exact : {true, false}) {
    core_rig rig;
    rig.features.exact_write = exact;
    played_stream& stream = rig.stream();
    stream.write_rest = {0, errc::none, when::held};
    stream.cancelled_write_takes = 10;
    connection c = rig.connect(stream, core_rig::messages());
    stopping stop(by::token);
    sent first, second;
    rig.go(stop.arm(c.send(large)), first);
    rig.go(c.send("behind"), second);
    stop.stop(rig);
    rig.pass(999ms);
    CHECK((!first.done() && !stream.closed));
    rig.pass(1ms);
    CHECK(stream.closed);
    CHECK((first.code() == errc::closed && second.code() == errc::closed));
  }
}

TEST_CASE("a late stop does not touch the next send") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes.push_back({SIZE_MAX, errc::none, when::held});
  connection c = rig.connect(stream, core_rig::messages());
  std::stop_source source;
  sent first, second;
  rig.go(c.send("first").unless(source.get_token()), first);
  stream.finish_write(13);
  REQUIRE(first.done());
  stream.writes.push_back({0, errc::none, when::held});
  rig.go(c.send("second"), second);  // the same node
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  CHECK_FALSE(second.done());
  stream.finish_write(14);
  CHECK(second.code() == errc::none);
}

TEST_CASE("a stop that the runtime has not heard of when its send completes does not touch the next send") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.write_rest.at = when::held;
  connection c = rig.connect(stream, core_rig::messages());
  std::stop_source source;
  sent first, second;
  rig.go(c.send("first").unless(source.get_token()), first);
  source.request_stop();
  stream.finish_write(13);
  REQUIRE(first.done());
  rig.go(c.send("second"), second);
  rig.settle();
  CHECK_FALSE(second.done());
  stream.finish_write(14);
  CHECK(second.code() == errc::none);
}

TEST_CASE("each operation of a connection has its own deadline, whatever was set first") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.write_rest.at = when::held;
  connection c = rig.connect(stream, core_rig::plain_bytes());
  awaited<result<received>> receive;
  sent blocking, first, second;
  buffer into;
  rig.go(c.receive(into).within(10s), receive);
  rig.go(c.send("blocking"), blocking);
  rig.go(c.send("slow").within(5s), first);
  rig.go(c.send("quick").within(1s), second);
  rig.pass(1s);
  CHECK((second.code() == errc::timed_out && !first.done() && !receive.done()));
  rig.pass(4s);
  CHECK((first.code() == errc::timed_out && !receive.done()));
  rig.pass(5s);
  CHECK((receive.code() == errc::timed_out && !blocking.done() && rig.system->timers() == 0));
  stream.finish_write(8);
}

TEST_CASE("the memory of a send is not touched after its completion") {
  for (const std::size_t took : sizes{0, 70'000}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    stream.cancelled_write_takes = took;
    connection c = rig.connect(stream, core_rig::plain_bytes());
    stopping stop(by::token);
    sent first, second;
    auto memory = std::make_unique<byte_vector>(large);
    rig.go(stop.arm(c.send(*memory)), first);
    stop.stop(rig);
    REQUIRE(first.done());
    memory.reset();
    rig.go(c.send("behind"), second);
    CHECK(second.code() == errc::none);
  }
}

TEST_CASE("a second stop does not lengthen the grace of the first") {
  core_rig rig;
  rig.features.exact_write = false;
  played_stream& stream = rig.stream();
  stream.write_rest = {0, errc::none, when::held};
  connection c = rig.connect(stream, core_rig::messages());
  stopping one(by::token), other(by::token);
  sent small, first, second;
  rig.go(c.send("small"), small);
  rig.go(one.arm(c.send(large)), first);
  rig.go(other.arm(c.send("behind")), second);
  stream.finish_write(13);  // the next write has hold of both
  one.stop(rig);
  rig.pass(900ms);
  other.stop(rig);
  rig.pass(100ms);
  CHECK((stream.closed && first.code() == errc::closed));
}

TEST_CASE("sends that run out of time together all end, in order, and those behind them go") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes.push_back({0, errc::none, when::held});
  connection c = rig.connect(stream, core_rig::messages());
  sent first, last;
  std::array<sent, 100> late;
  rig.go(c.send("first"), first);
  for (sent& each : late) rig.go(c.send("late").within(1s), each);
  rig.go(c.send("last"), last);
  rig.pass(1s);
  for (const sent& each : late) CHECK(each.code() == errc::timed_out);
  stream.finish_write(SIZE_MAX);
  rig.settle();
  byte_vector expected = message_frames(bytes_of("first"));
  append(expected, message_frames(bytes_of("last")));
  CHECK((stream.written == expected && last.code() == errc::none));
}
