// Sends of an asynchronous connection over a mocked stream: what is written, what completes, and when.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using trompeloeil::_;

namespace {

byte_vector on_the_wire(const core::terms& terms, std::span<const std::byte> payload) {
  if (terms.framed) return message_frames(payload);
  return {payload.begin(), payload.end()};
}

}  // namespace

TEST_CASE("a send that the stream takes at once completes at once") {
  for (const auto& terms : core_rig::all_terms()) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, terms);
    sent done;
    rig.go(c.send("hello"), done);
    REQUIRE(done.at_once);
    CHECK(**done == 5);
    CHECK(stream.written == on_the_wire(terms, bytes_of("hello")));
  }
}

TEST_CASE(
    "a send completes when the stream has taken all of it, however small the pieces and however late they "
    "go") {
  const byte_vector payload = pattern(150'000, 1);
  for (const auto& terms : core_rig::all_terms()) {
    for (const when at : {when::now, when::later}) {
      for (const std::size_t most : {std::size_t{999}, std::size_t{70'000}}) {
        core_rig rig;
        played_stream& stream = rig.stream();
        // A twin accepts all or fails; with exact_write a cancelled write says how much went, and the core
        // goes on.
        for (int i = 0; i < 200; ++i) stream.writes.push_back({most, errc::cancelled, at});
        connection c = rig.connect(stream, terms);
        sent first, second;
        rig.go(c.send(payload), first);
        rig.go(c.send("behind"), second);
        rig.settle();
        REQUIRE((first.done() && second.done()));
        CHECK((**first == payload.size() && **second == 6));
        byte_vector expected = on_the_wire(terms, payload);
        append(expected, on_the_wire(terms, bytes_of("behind")));
        CHECK((stream.written == expected));
      }
    }
  }
}

namespace {
detail::root send_twice(connection& c, std::span<const std::byte> bytes, int& done) {
  for (int i = 0; i < 2; ++i) done += (co_await c.send(bytes)).has_value() ? 1 : 0;
}
}  // namespace

TEST_CASE("what the waiters of one write send when they resume is joined in the next write") {
  for (const auto& terms : {core_rig::messages(), core_rig::plain_bytes()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.writes.push_back({0, errc::none, when::held});
    connection c = rig.connect(stream, terms);
    const byte_vector payload = pattern(100, 1);
    const std::size_t size = on_the_wire(terms, payload).size();
    int done = 0;
    for (int i = 0; i < 11; ++i) send_twice(c, payload, done);
    stream.finish_write(size);  // the second write takes the ten that wait; then all eleven resume
    CHECK((done == 22 && rig.calls() == 3));
    CHECK(stream.written.size() == 22 * size);
  }
}

TEST_CASE("many sends may be pending, are joined in one write and complete in order") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.writes.push_back({0, errc::none, when::held});
  connection c = rig.connect(stream, core_rig::messages());
  std::deque<sent> all(20);
  const byte_vector payload = pattern(100, 1);
  for (sent& each : all) rig.go(c.send(payload), each);
  CHECK((stream.writing->buffers.size() == 1 && stream.writing->buffers.front().size() == 108));
  stream.writes.push_back({SIZE_MAX, errc::none, when::held});
  stream.finish_write(108);
  CHECK(all[0].done());
  CHECK_FALSE(all[1].done());
  REQUIRE(stream.writing != nullptr);
  CHECK((stream.writing->buffers.size() == 1 && stream.writing->buffers.front().size() == 19 * 108));
  stream.finish_write(19 * 108);
  for (sent& each : all) CHECK((each.done() && **each == 100));
}

TEST_CASE("every error of a write ends all sends with its code, at once or later, and every send after it") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const errc code :
         {errc::broken_pipe, errc::io_error, errc::closed, errc::no_resources, errc::timed_out}) {
      for (const when at : {when::now, when::later}) {
        for (const std::size_t took : {std::size_t{0}, std::size_t{3}}) {
          core_rig rig;
          played_stream& stream = rig.stream();
          stream.writes.push_back({took, code, at});
          connection c = rig.connect(stream, terms);
          sent first, second, third;
          rig.go(c.send("first"), first);
          rig.go(c.send("second"), second);
          rig.settle();
          rig.go(c.send("third"), third);
          CAPTURE(to_string(code), took);
          // A frame that was cut off ends the connection, so what comes after it is lost.
          const bool lost = terms.framed && code != errc::broken_pipe;
          const errc after = lost ? errc::connection_lost : code;
          CHECK((first.code() == code && second.code() == (at == when::now ? after : code)));
          CHECK((third.code() == after && stream.closed == lost));
          CHECK(first->error().what_failed() == operation::send);
          CHECK((at == when::later || first.at_once));
        }
      }
    }
  }
}

TEST_CASE("a second write is never started while one is pending") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::plain_bytes());
  backend::write_op* held = nullptr;
  REQUIRE_CALL(stream.mock, write(_)).TIMES(1).LR_SIDE_EFFECT(held = &_1).LR_RETURN(_1.begin());
  sent first, second;
  rig.go(c.send("first"), first);
  rig.go(c.send("second"), second);
  rig.settle();
  CHECK_FALSE(first.done());
  held->complete({errc::broken_pipe, 32}, 0);
  CHECK((first.code() == errc::broken_pipe && second.code() == errc::broken_pipe));
  CHECK(first->error().system_cause() == 32);
}

TEST_CASE("a send is refused before anything is written where it makes no sense") {
  core_rig rig;
  played_stream& stream = rig.stream();
  core::terms in_only = core_rig::messages(10);
  in_only.can_send = false;
  FORBID_CALL(stream.mock, write(_));
  sent done;
  connection receiver = rig.connect(stream, in_only);
  rig.go(receiver.send("x"), done);
  CHECK((done.at_once && done.code() == errc::wrong_direction));
  connection small = rig.connect(rig.stream(), core_rig::messages(10));
  rig.go(small.send("eleven byte"), done);
  CHECK((done.at_once && done.code() == errc::message_too_large));
  CHECK(done->error().message().find("11 bytes where 10 are allowed") != std::string::npos);
  rig.go(small.send("ten bytes."), done);
  CHECK(done.code() == errc::none);
  connection bytes = rig.connect(stream, core_rig::plain_bytes());
  rig.go(bytes.send(""), done);
  CHECK((done.at_once && **done == 0));
}

TEST_CASE("beyond the limit a send is refused, but one is always admitted") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.write_rest = {0, errc::none, when::held};
  core::terms terms = core_rig::messages();
  terms.max_queued = 100;
  connection c = rig.connect(stream, terms);
  const byte_vector thousand = pattern(1000, 1);
  sent first, second, third;
  rig.go(c.send(thousand), first);
  rig.go(c.send("x"), second);
  CHECK((second.at_once && second.code() == errc::queue_full));
  stream.finish_write(1008);
  CHECK(first.done());
  rig.go(c.send("y"), third);
  CHECK_FALSE(third.done());
}

TEST_CASE("a send awaited after the connection was aborted is closed") {
  core_rig rig;
  connection c = rig.connect(rig.stream(), core_rig::messages());
  c.abort();
  sent done;
  rig.go(c.send("x"), done);
  CHECK((done.at_once && done.code() == errc::closed));
}

TEST_CASE("one send is admitted, whatever its size, behind control frames that wait") {
  core_rig rig;
  played_stream& stream = rig.stream();
  core::terms terms = core_rig::messages();
  terms.max_queued = 10;
  connection c = rig.connect(stream, terms);
  sent first, second, third;
  awaited<result<void>> drain;
  rig.go(c.send("first"), first);
  stream.write_rest = {0, errc::none, when::held};
  rig.go(c.drain(), drain);
  rig.go(c.send("more than ten bytes"), second);
  rig.go(c.send("one more"), third);
  CHECK((!second.done() && third.code() == errc::queue_full));
  stream.finish_write(SIZE_MAX);
}
