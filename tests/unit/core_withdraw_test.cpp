// Sends taken back from the queue: the peer must be able to read on, whatever had gone by then.
#include <catch2/catch.hpp>

#include "core_send_queue.hpp"

using namespace tp;
using namespace tp::test;
using core::outbound;

namespace {

constexpr std::size_t big_size = 150'000;
/// Numbers of bytes that end at, before and behind every border of the big message and of the one behind it.
const std::vector<std::size_t> borders = {0,      1,      7,      8,      9,       65543,
                                          65544,  65545,  65551,  65552,  131087,  131088,
                                          131089, 131096, 150023, 150024, 150'025, 150'040};

/// Takes `item` back unless it has gone, and says whether it finished meanwhile.
bool take_back(send_queue& q, outgoing& item) {
  if (std::ranges::find(q.finished, &item) != q.finished.end()) return true;
  REQUIRE_FALSE(q.out.in_flight(item));
  if (q.out.withdraw(item) == outbound::withdrawal::gone) q.collect(&item);
  return false;
}

/// The frames of a message that was given up after `sent` bytes: whole fragments and ABORT_MESSAGE, or
/// nothing.
byte_vector given_up(std::span<const std::byte> payload, std::size_t sent) {
  byte_vector made;
  for (std::size_t at = 0; at < sent; at += 65536) append(made, frame(0, payload.subspan(at, 65536), 1));
  if (sent > 0) append(made, frame(wire::frame_type::abort_message));
  return made;
}

}  // namespace

TEST_CASE("a message taken back at any byte is either whole, or given up before the next message begins") {
  for (const std::size_t at : borders) {
    for (const std::size_t most : {std::size_t{40'000}, SIZE_MAX}) {
      send_queue q(transmission::message, true);
      outgoing& first = q.send(big_size, true);
      q.send(10, true);
      q.pump_bytes(at, most);
      const bool had_gone = take_back(q, first);
      q.pump(at_most(most));
      CAPTURE(at, first.sent);
      CHECK(had_gone == (at >= big_size + 24));
      byte_vector expected =
          first.complete ? message_frames(q.payloads[0], 65536) : given_up(q.payloads[0], first.sent);
      append(expected, message_frames(q.payloads[1]));
      CHECK((q.written == expected));
      CHECK((q.finished.size() == 2 && q.out.idle() && q.out.queued_bytes() == 0));
    }
  }
}

TEST_CASE("a message taken back before its first byte leaves no trace") {
  for (const std::size_t at : sizes{0, 5, 18}) {
    send_queue q(transmission::message, true);
    q.send(10);
    outgoing& second = q.send(20, true);
    outgoing& third = q.send(30, true);
    q.pump_bytes(static_cast<std::size_t>(at));
    CHECK(q.out.withdraw(second) == outbound::withdrawal::gone);
    CHECK((second.sent == 0 && !second.complete));
    q.pump(everything());
    byte_vector expected = message_frames(q.payloads[0]);
    append(expected, message_frames(q.payloads[2]));
    CHECK((q.written == expected));
    CHECK(q.finished.back() == &third);
  }
}

TEST_CASE("bytes taken back in the middle say exactly how many went") {
  for (std::size_t at = 1; at < 100; ++at) {
    send_queue q(transmission::byte, false);
    outgoing& first = q.send(100, true);
    q.send(10);
    q.pump_bytes(at, 7);
    CHECK(q.out.withdraw(first) == outbound::withdrawal::gone);
    CHECK(first.sent == at);
    q.pump(at_most(3));
    byte_vector expected(q.payloads[0].begin(), q.payloads[0].begin() + static_cast<std::ptrdiff_t>(at));
    append(expected, q.payloads[1]);
    CHECK((q.written == expected));
  }
}

TEST_CASE("framed bytes taken back finish the frame under way and say how many went") {
  for (const std::size_t at : borders) {
    send_queue q(transmission::byte, true);
    outgoing& first = q.send(big_size, true);
    q.send(10);
    q.pump_bytes(at);
    take_back(q, first);
    q.pump(at_most(50'000));
    byte_vector data;
    const auto parts = take_apart(q.written);
    for (const plain_frame& each : parts.frames) append(data, each.payload);
    byte_vector expected(q.payloads[0].begin(),
                         q.payloads[0].begin() + static_cast<std::ptrdiff_t>(first.sent));
    append(expected, q.payloads[1]);
    CAPTURE(at, first.sent);
    CHECK((data == expected && parts.left_over == 0));
    CHECK(first.sent + 65536 + 24 > at);
  }
}

TEST_CASE("any order of sending, taking back and replying leaves a stream that a peer can read") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    generator random(seed);
    send_queue q(transmission::message, true);
    const appetite takes = random_appetite(seed + 1000);
    for (int turn = 0; turn < 60; ++turn) {
      switch (random.below(6)) {
        case 0:
          q.send(random.below(200'000) >> random.below(18), true);
          break;
        case 1:
          q.out.push_reply(wire::make_control(wire::frame_type::pong, 1));
          break;
        case 2:
          if (!q.items.empty()) {
            outgoing& item = q.items[random.below(q.items.size())];
            const bool gone = std::ranges::find(q.finished, &item) != q.finished.end();
            if (!gone && !item.stopped && q.out.withdraw(item) == outbound::withdrawal::gone)
              q.collect(&item);
          }
          break;
        default:
          static_cast<void>(q.step(takes));
      }
    }
    q.pump(everything());
    CHECK(q.finished.size() == q.items.size());
    wire::frame_parser parser(transmission::message, 1 << 20);
    byte_vector received;
    std::vector<byte_vector> messages;
    for (std::span<const std::byte> left = q.written; !left.empty();) {
      const auto event = parser.next(left);
      REQUIRE(event.what != wire::frame_parser::kind::violation);
      REQUIRE(event.what != wire::frame_parser::kind::needs_more);
      left = left.subspan(event.consumed);
      append(received, left.first(parser.payload_left()));
      left = left.subspan(parser.payload_left());
      parser.take(parser.payload_left());
      if (event.what == wire::frame_parser::kind::data && parser.final_fragment())
        messages.push_back(received);
      if (!parser.inside_message()) received.clear();
    }
    std::vector<byte_vector> complete;
    for (outgoing* const item : q.finished) {
      if (item->complete) complete.emplace_back(item->payload.begin(), item->payload.end());
    }
    CHECK((messages == complete));
  }
}

TEST_CASE("dropping everything hands back all sends in order and leaves nothing to write") {
  for (const std::size_t at : sizes{0, 3, 20, 65600}) {
    send_queue q(transmission::message, true);
    q.send(10);
    q.send(100'000, true);
    q.send(10);
    q.out.push_reply(wire::make_control(wire::frame_type::pong, 1));
    q.pump_bytes(static_cast<std::size_t>(at));
    q.collect(q.out.drop_all());
    CHECK(q.finished == std::vector<outgoing*>{&q.items[0], &q.items[1], &q.items[2]});
    CHECK((q.out.idle() && q.out.queued_bytes() == 0 && q.out.gather().empty()));
  }
}
