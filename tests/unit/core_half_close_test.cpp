// Half-close of an asynchronous connection over a mocked stream.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;

TEST_CASE("half-close comes after everything that was sent before it") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    connection c = rig.connect(stream, terms);
    sent data, late;
    nothing half, again;
    rig.go(c.send("data"), data);
    rig.go(c.shutdown(), half);
    rig.go(c.send("late"), late);
    rig.go(c.shutdown(), again);
    CHECK((late.at_once && late.code() == errc::closed));
    CHECK((again.at_once && again.code() == errc::operation_in_progress));
    CHECK((!half.done() && stream.shutting == nullptr));
    stream.finish_write(SIZE_MAX);
    rig.settle();
    CHECK((data.done() && half.done() && half.code() == errc::none));
    byte_vector expected = terms.framed ? message_frames(bytes_of("data")) : bytes_of("data");
    if (terms.framed) append(expected, frame(wire::frame_type::end));
    CHECK(stream.written == expected);
    nothing third;
    rig.go(c.shutdown(), third);
    CHECK((third.at_once && third.code() == errc::none));
  }
}

TEST_CASE("every error of the stream's half-close is the error of shutdown, at once or later") {
  for (const errc code : {errc::broken_pipe, errc::io_error, errc::closed}) {
    for (const when at : {when::now, when::later}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.shutdown_answer = {0, code, at};
      connection c = rig.connect(stream, core_rig::plain_bytes());
      nothing half;
      rig.go(c.shutdown(), half);
      rig.settle();
      CHECK(half.code() == code);
    }
  }
}

TEST_CASE("a stopped half-close goes all the same, and the next one waits for it") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes.push_back({0, errc::none, when::held});
  connection c = rig.connect(stream, core_rig::messages());
  std::stop_source source;
  sent data;
  nothing half, again;
  rig.go(c.send("data"), data);
  rig.go(c.shutdown().unless(source.get_token()), half);
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  CHECK(half.code() == errc::cancelled);
  rig.go(c.shutdown(), again);
  CHECK_FALSE(again.done());
  stream.finish_write(SIZE_MAX);
  rig.settle();
  CHECK((again.done() && again.code() == errc::none));
  CHECK(take_apart(stream.written).frames.back().type == 1);
}

TEST_CASE("a half-close that the stream has begun goes on when it is stopped, and ends with the connection") {
  for (const bool aborted : {true, false}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.shutdown_answer.at = when::held;
    connection c = rig.connect(stream, core_rig::plain_bytes());
    std::stop_source source;
    nothing half, again;
    rig.go(c.shutdown().unless(source.get_token()), half);
    REQUIRE(stream.shutting != nullptr);
    rig.user_call([&] { source.request_stop(); });
    CHECK_FALSE(half.done());
    rig.settle();
    CHECK((half.code() == errc::cancelled && stream.shutting != nullptr));
    rig.go(c.shutdown(), again);
    CHECK_FALSE(again.done());
    aborted ? rig.user_call([&] { c.abort(); }) : stream.finish(stream.shutting);
    rig.settle();
    CHECK((again.done() && again.code() == (aborted ? errc::closed : errc::none)));
  }
}

TEST_CASE("half-close without frames needs a system that can") {
  core_rig rig;
  rig.features.half_close = false;
  connection c = rig.connect(rig.stream(), core_rig::plain_bytes());
  nothing half;
  rig.go(c.shutdown(), half);
  CHECK((half.at_once && half.code() == errc::not_supported));
}
