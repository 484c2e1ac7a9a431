// Stops and closes that meet bytes, and questions of the peer about bytes that the application hasn't got.
#include <algorithm>
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

byte_vector part_of(const byte_vector& all, std::size_t from, std::size_t to) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)};
}

/// What the read that is held waits for comes, and the runtime will hear of it in its next turn.
void come(core_rig& rig, played_stream& stream, const byte_vector& bytes) {
  backend::read_op& op = *std::exchange(stream.reading, nullptr);
  if (op.into.empty() && op.spill.empty()) {  // it waits for the news alone
    if (!bytes.empty()) stream.reads.push_back({bytes});
    return rig.system->later(op, {}, 0);
  }
  const std::size_t first = std::min(bytes.size(), op.into.size());
  std::copy_n(bytes.begin(), first, op.into.begin());
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end(), op.spill.begin());
  rig.system->later(op, {}, bytes.size());
}

}  // namespace

TEST_CASE("bytes that come in the turn of the stop are received, with frames as without") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::framed_bytes(), core_rig::messages()}) {
    for (const bool by_deadline : {true, false}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = rig.connect(stream, terms);
      stream.reads.push_back(
          {terms.framed ? message_frames(bytes_of("met")) : bytes_of("met"), errc::none, when::later});
      std::array<std::byte, 10> into{};
      std::stop_source source;
      got done;
      rig.go(c.receive(into).within(by_deadline ? 0s : 5s).unless(source.get_token()), done);
      // The stop is delivered before the completion of the read, which is there already.
      if (!by_deadline) rig.user_call([&] { source.request_stop(); });
      rig.settle();
      REQUIRE((done.done() && done->has_value()));
      CHECK(((*done)->bytes == 3 && (*done)->complete));
    }
  }
}

TEST_CASE("a stop that meets the news that something can be read receives it") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  stream.feed(message_frames(bytes_of("first")));
  buffer into;
  got first, second;
  rig.go(c.receive(into), first);
  rig.settle();  // nobody receives: it waits until something can be read
  REQUIRE((stream.reading != nullptr && stream.reading->into.empty()));
  std::stop_source source;
  rig.go(c.receive(into).unless(source.get_token()), second);
  stream.reads.push_back({message_frames(bytes_of("second"))});
  come(rig, stream, {});
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  REQUIRE((second.done() && second->has_value()));
  CHECK(into.text() == "second");
}

TEST_CASE("a message that ends while close takes its receive back is whole, and not left unread") {
  for (const std::size_t fragment : sizes{4, 100}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, core_rig::messages());
    std::array<std::byte, 20> into{};
    got receive;
    closing close;
    const byte_vector all = message_frames(bytes_of("whole thing"), fragment);
    rig.go(c.receive(into), receive);
    stream.feed(part_of(all, 0, 10));
    come(rig, stream, part_of(all, 10, all.size()));
    rig.go(c.close(), close);
    rig.settle();
    REQUIRE((receive.done() && receive->has_value()));
    CHECK(((*receive)->bytes == 11 && (*receive)->complete));
    CHECK(close.done());
  }
}

TEST_CASE("a close with part of a message under way says that it left data unread") {
  for (const bool into_buffer : {true, false}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, core_rig::messages());
    sent data;
    got receive;
    closing close;
    buffer into;
    std::array<std::byte, 20> span{};
    rig.go(c.send("data"), data);
    into_buffer ? rig.go(c.receive(into), receive) : rig.go(c.receive(span), receive);
    stream.feed(part_of(message_frames(bytes_of("never whole!")), 0, 13));
    rig.go(c.close(), close);
    rig.settle();
    stream.feed(bytes_of(" whole!"));
    stream.feed(token_frame(wire::frame_type::drained, 1));
    rig.settle();
    REQUIRE(close.done());
    CHECK(frame(6, take_apart(stream.written).frames.back().payload) == close_frame(2));
  }
}

TEST_CASE("data that came before a close makes its last frame say that it was left unread") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  stream.feed(message_frames(bytes_of("nobody wanted this")));
  closing close;
  rig.go(c.close(), close);
  rig.settle();
  CHECK((close.done() && stream.written == close_frame(2)));
}

TEST_CASE("a drain inside a message is answered when the application has got what came before it") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  buffer into;
  std::stop_source source;
  got first, second;
  rig.go(c.receive(into).unless(source.get_token()), first);
  stream.feed(frame(0, bytes_of("half "), 1));
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  CHECK(first.code() == errc::cancelled);
  stream.feed(token_frame(wire::frame_type::drain, 7));
  rig.settle();
  CHECK(stream.written.empty());
  rig.go(c.receive(into), second);
  stream.feed(frame(0, bytes_of("whole")));
  rig.settle();
  CHECK((into.text() == "half whole" && stream.written == token_frame(wire::frame_type::drained, 7)));
}

TEST_CASE("a drain inside a message that its sender gives up is answered then") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  buffer into;
  got receive;
  rig.go(c.receive(into), receive);
  stream.feed(frame(0, bytes_of("half "), 1));
  stream.feed(token_frame(wire::frame_type::drain, 7));
  rig.settle();
  CHECK(stream.written.empty());
  stream.feed(frame(wire::frame_type::abort_message));
  rig.settle();
  CHECK((receive.code() == errc::message_aborted &&
         stream.written == token_frame(wire::frame_type::drained, 7)));
}
