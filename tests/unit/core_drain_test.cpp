// Drain of an asynchronous connection over a mocked stream.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

byte_vector drain(std::uint64_t token) {
  return token_frame(wire::frame_type::drain, token);
}

}  // namespace

TEST_CASE("drain of nothing is done at once, and of something when the peer confirms that very drain") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  nothing first, second;
  rig.go(c.drain(), first);
  CHECK((first.at_once && first.code() == errc::none));
  sent data;
  rig.go(c.send("data"), data);
  rig.go(c.drain(), second);
  byte_vector expected = message_frames(bytes_of("data"));
  append(expected, drain(1));
  CHECK(stream.written == expected);
  stream.feed(drained(99));
  rig.settle();
  CHECK_FALSE(second.done());
  stream.feed(drained(1));
  rig.settle();
  CHECK((second.done() && second.code() == errc::none));
}

TEST_CASE("a drain confirms nothing that was sent after it") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  sent data;
  nothing first, second;
  rig.go(c.send("before"), data);
  rig.go(c.drain(), first);
  rig.go(c.send("after"), data);
  stream.feed(drained(1));
  rig.settle();
  CHECK(first.done());
  rig.go(c.drain(), second);
  CHECK_FALSE(second.done());
  closing close;
  rig.go(c.close(), close);
  CHECK(second.code() == errc::none);  // not yet
  rig.settle();
  CHECK(second.code() == errc::closed);
  CHECK_FALSE(close.done());
}

TEST_CASE("drains that ran out of time behind a stuck send do no harm, and the next one counts") {
  for (const std::size_t taken : sizes{0, 4, 12, 20}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    connection c = rig.connect(stream, core_rig::messages());
    sent data;
    rig.go(c.send("data"), data);
    for (int i = 0; i < 3; ++i) {
      nothing lost;
      rig.go(c.drain().within(1s), lost);
      rig.pass(1s);
      CHECK(lost.code() == errc::timed_out);
    }
    nothing last;
    rig.go(c.drain(), last);
    stream.finish_write(taken, errc::cancelled);
    rig.settle();
    for (const plain_frame& each : take_apart(stream.written).frames) {
      if (each.type == 2) stream.feed(frame(3, each.payload));
    }
    rig.settle();
    CHECK((last.done() && last.code() == errc::none));
  }
}

TEST_CASE("a drain ends with discarded when the peer leaves before it confirms") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.drain_answer = {0, errc::connection_reset, when::later};
    connection c = rig.connect(stream, terms);
    sent data;
    nothing wait;
    rig.go(c.send("data"), data);
    rig.go(c.drain(), wait);
    if (terms.framed) stream.feed_end();
    rig.settle();
    CHECK(wait.code() == errc::discarded);
  }
}

TEST_CASE("every answer of the kernel's drain reaches the caller, at once or later") {
  for (const errc code : {errc::none, errc::io_error, errc::closed, errc::not_supported}) {
    for (const when at : {when::now, when::later}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.drain_answer = {0, code, at};
      connection c = rig.connect(stream, core_rig::plain_bytes());
      sent data;
      nothing wait;
      rig.go(c.send("data"), data);
      rig.go(c.drain(), wait);
      rig.settle();
      CHECK((wait.done() && wait.code() == code));
    }
  }
}

TEST_CASE("a drain can be stopped, and the connection goes on") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    for (const bool by_deadline : {true, false}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.drain_answer.at = when::held;
      connection c = rig.connect(stream, terms);
      std::stop_source source;
      sent data;
      nothing wait, second;
      rig.go(c.send("data"), data);
      rig.go(c.drain().within(3s).unless(source.get_token()), wait);
      rig.go(c.drain(), second);
      CHECK((second.at_once && second.code() == errc::operation_in_progress));
      if (!by_deadline) rig.user_call([&] { source.request_stop(); });
      by_deadline ? rig.pass(3s) : rig.settle();
      CHECK(wait.code() == (by_deadline ? errc::timed_out : errc::cancelled));
      rig.go(c.send("more"), data);
      CHECK(data.code() == errc::none);
    }
  }
}

TEST_CASE("after a reset was seen drain and close say that bytes were discarded") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::plain_bytes());
  sent data;
  got end;
  nothing wait;
  closing close;
  buffer into;
  rig.go(c.send("data"), data);
  stream.feed_error(errc::connection_reset);
  rig.go(c.receive(into), end);
  REQUIRE(end.done());
  CHECK((*end)->discarded);
  rig.go(c.drain(), wait);
  CHECK(wait.code() == errc::discarded);
  rig.go(c.close(), close);
  rig.settle();
  REQUIRE((close.done() && close->has_value()));
  CHECK(**close == delivery::discarded);
}
