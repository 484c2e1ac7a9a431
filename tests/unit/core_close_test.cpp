// The end of a connection: close with its outcome, abort and destruction with every operation pending.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

byte_vector frame_header_of(std::size_t payload) {
  byte_vector made = frame(0, byte_vector(payload));
  made.resize(8);
  return made;
}

}  // namespace

TEST_CASE("close of what was never sent is delivered, framed when it has looked what the peer has sent") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, terms);
    closing close, again;
    rig.go(c.close(), close);
    CHECK(close.at_once == !terms.framed);
    rig.settle();
    CHECK((outcome_of(close) == delivery::delivered && stream.closed));
    CHECK(stream.written == (terms.framed ? close_frame(0) : byte_vector{}));
    rig.go(c.close(), again);
    CHECK(again.code() == errc::closed);
  }
}

TEST_CASE("close sends what is queued, waits for the confirmation and parts") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes.push_back({0, errc::none, when::held});
  connection c = rig.connect(stream, core_rig::messages());
  sent first, second;
  closing close;
  rig.go(c.send("first"), first);
  rig.go(c.send("second"), second);
  rig.go(c.close(), close);
  CHECK_FALSE(close.done());
  stream.finish_write(SIZE_MAX);
  rig.settle();
  CHECK((first.done() && second.done() && !close.done()));
  stream.feed(token_frame(wire::frame_type::drained, 1));
  rig.settle();
  CHECK(outcome_of(close) == delivery::delivered);
  byte_vector expected = message_frames(bytes_of("first"));
  append(expected, message_frames(bytes_of("second")));
  append(expected, token_frame(wire::frame_type::drain, 1));
  append(expected, close_frame(0));
  CHECK(stream.written == expected);
}

TEST_CASE("without frames close answers what the kernel's drain says") {
  const std::pair<errc, delivery> answers[] = {{errc::none, delivery::delivered},
                                               {errc::connection_reset, delivery::discarded},
                                               {errc::not_supported, delivery::unknown},
                                               {errc::io_error, delivery::unknown}};
  for (const auto& [code, expected] : answers) {
    for (const when at : {when::now, when::later}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.drain_answer = {0, code, at};
      connection c = rig.connect(stream, core_rig::plain_bytes());
      sent data;
      closing close;
      rig.go(c.send("data"), data);
      rig.go(c.close(), close);
      rig.settle();
      CHECK(outcome_of(close) == expected);
      CHECK(stream.closed);
    }
  }
}

TEST_CASE("a drain that ends while close still writes does not end the close") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.drain_answer.at = when::held;
  connection c = rig.connect(stream, core_rig::plain_bytes());
  sent first, second;
  nothing wait;
  closing close;
  rig.go(c.send("first"), first);
  rig.go(c.drain(), wait);
  stream.write_rest.at = when::held;
  rig.go(c.send("second"), second);
  rig.go(c.close(), close);
  stream.finish(stream.draining);
  rig.settle();
  CHECK((!close.done() && !second.done() && !stream.closed));
  stream.drain_answer.at = when::later;
  stream.finish_write(SIZE_MAX);
  rig.settle();
  CHECK((second.done() && second.code() == errc::none && outcome_of(close) == delivery::delivered));
}

namespace {

/// Where a close is stuck: the send before it; its DRAIN, or without frames the kernel's; or, confirmed, its
/// CLOSE.
enum class stuck { send, drain, last_frame };

}  // namespace

TEST_CASE(
    "close ends at its deadline or when it is stopped with what is known, and the connection is closed") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    for (const stuck where : {stuck::send, stuck::drain, stuck::last_frame}) {
      for (const bool by_deadline : {true, false}) {
        if (where == stuck::last_frame && !terms.framed) continue;
        core_rig rig;
        played_stream& stream = rig.stream();
        stream.drain_answer.at = when::held;
        if (where == stuck::send) stream.write_rest.at = when::held;
        connection c = rig.connect(stream, terms);
        std::stop_source source;
        sent data;
        closing close;
        rig.go(c.send("data"), data);
        rig.go(c.close().within(2s).unless(source.get_token()), close);
        if (where == stuck::last_frame) {
          stream.write_rest.at = when::held;
          stream.feed(token_frame(wire::frame_type::drained, 1));
        }
        rig.settle();
        CHECK_FALSE(close.done());
        if (!by_deadline) rig.user_call([&] { source.request_stop(); });
        CHECK_FALSE(close.done());
        by_deadline ? rig.pass(2s) : rig.settle();
        const bool confirmed = where == stuck::last_frame;
        CHECK(outcome_of(close) == (confirmed ? delivery::delivered : delivery::unknown));
        CHECK((stream.closed && data.done() && rig.system->timers() == 0));
      }
    }
  }
}

TEST_CASE("a broken pipe under the last frame changes nothing once the peer has confirmed") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.close(), close);
  stream.writes.push_back({0, errc::broken_pipe, when::later});
  stream.feed(token_frame(wire::frame_type::drained, 1));
  rig.settle();
  CHECK(outcome_of(close) == delivery::delivered);
}

TEST_CASE("a closing side confirms no drain of data that it threw away, and says so in its close") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.close(), close);
  byte_vector late = message_frames(bytes_of("late"));
  append(late, token_frame(wire::frame_type::drain, 5));
  append(late, token_frame(wire::frame_type::drained, 1));
  stream.feed(late);
  rig.settle();
  CHECK(outcome_of(close) == delivery::delivered);
  const auto parts = take_apart(stream.written);
  REQUIRE(parts.frames.size() == 3);
  CHECK((frame(6, parts.frames[2].payload) == close_frame(2)));
}

TEST_CASE("close ends a pending receive with closed") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::framed_bytes(), core_rig::messages()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, terms);
    buffer into;
    got receive;
    closing close;
    rig.go(c.receive(into), receive);
    rig.go(c.close(), close);
    CHECK_FALSE(receive.done());
    rig.settle();
    CHECK((receive.code() == errc::closed && outcome_of(close) == delivery::delivered));
  }
}

TEST_CASE(
    "abort and destruction end every pending operation with closed on a later turn, whatever the backend "
    "says") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::framed_bytes(), core_rig::messages()}) {
    for (const bool bytes_win : {true, false}) {
      for (const bool destroy : {true, false}) {
        core_rig rig;
        played_stream& stream = rig.stream();
        stream.write_rest.at = stream.drain_answer.at = when::held;
        stream.cancel_meets_completion = bytes_win;
        std::optional<connection> c(rig.connect(stream, terms));
        sent first, second;
        nothing half, wait;
        got receive;
        buffer into;
        rig.go(c->receive(into), receive);
        rig.go(c->send("first"), first);
        rig.go(c->send("second"), second);
        rig.go(c->drain(), wait);
        rig.go(c->shutdown(), half);
        rig.user_call([&] { destroy ? c.reset() : c->abort(); });
        CHECK((stream.closed && !receive.done() && !second.done() && !half.done() && !wait.done()));
        rig.settle();
        CHECK((receive.code() == errc::closed && wait.code() == errc::closed && half.code() == errc::closed));
        // Framed, the first write holds the first send only.
        CHECK(first.code() == (bytes_win ? errc::none : errc::closed));
        CHECK(second.code() == errc::closed);
      }
    }
  }
}

TEST_CASE("bytes that meet an abort are received, and a message that they end is whole") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    for (const bool all : {true, false}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = rig.connect(stream, terms);
      // Framed, only a read behind one that was full goes straight into the caller's memory.
      const std::size_t before = terms.framed ? sizeof(core::read_block) - 8 : 0;
      byte_vector into(before + 10);
      got receive;
      rig.go(c.receive(into), receive);
      if (terms.framed) {
        byte_vector full = frame_header_of(into.size());
        full.resize(full.size() + before);
        stream.feed(full);
      }
      REQUIRE((stream.reading != nullptr && !stream.reading->into.empty()));
      stream.met_by_close = byte_vector(all ? 10 : 5);
      rig.user_call([&] { c.abort(); });
      rig.settle();
      REQUIRE((receive.done() && receive->has_value()));
      CHECK((*receive)->bytes == before + (all ? 10u : 5u));
      CHECK((*receive)->complete == (all || !terms.framed));
    }
  }
}

TEST_CASE("abort ends a close that is pending as unknown") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.write_rest.at = when::held;
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  closing close;
  rig.go(c.send("data"), data);
  rig.go(c.close(), close);
  rig.user_call([&] { c.abort(); });
  CHECK_FALSE(close.done());
  rig.settle();
  CHECK((outcome_of(close) == delivery::unknown && data.code() == errc::closed));
}

TEST_CASE("a waiter that was stopped may destroy its connection at once") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    for (int which = 0; which < 5; ++which) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.write_rest.at = stream.drain_answer.at = when::held;
      std::stop_source source;
      bool ended = false;
      const auto use = [](std::optional<connection>& c, int what, std::stop_token stop,
                          bool& done) -> detail::root {
        buffer into;
        if (what == 0) static_cast<void>(co_await c->receive(into).unless(stop));
        if (what == 1) static_cast<void>(co_await c->send("data").unless(stop));
        if (what == 2) static_cast<void>(co_await c->close().unless(stop));
        if (what == 3) static_cast<void>(co_await c->shutdown().unless(stop));
        if (what == 4) static_cast<void>(co_await c->drain().unless(stop));
        c.reset();
        done = true;
      };
      std::optional<connection> c(rig.connect(stream, terms));
      sent before;
      rig.go(c->send("before"), before);
      use(c, which, source.get_token(), ended);
      CHECK_FALSE(ended);
      rig.user_call([&] { source.request_stop(); });
      CHECK_FALSE(ended);
      rig.pass(2s);
      CHECK((ended && before.done() && stream.released));
    }
  }
}

TEST_CASE("a runtime that ends closes what lives on it, and its waiters resume with closed") {
  auto rig = std::make_unique<core_rig>();
  played_stream& stream = rig->stream();
  stream.write_rest.at = when::held;
  sent first, second;
  got receive;
  buffer into;
  {
    auto c = std::make_unique<connection>(rig->connect(stream, core_rig::messages()));
    rig->go(c->receive(into), receive);
    rig->go(c->send("first"), first);
    rig->go(c->send("second"), second);
  }
  rig.reset();
  CHECK((receive.code() == errc::closed && first.code() == errc::closed && second.code() == errc::closed));
}
