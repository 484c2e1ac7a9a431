// The sending half of a connection, sans-IO: what comes out must be, byte for byte, what the queue says,
// whatever the stream takes.
#include <catch2/catch.hpp>

#include "core_send_queue.hpp"

using namespace tp;
using namespace tp::test;

namespace {

struct kind_of_stream {
  transmission mode;
  bool framed;
};
constexpr kind_of_stream kinds[] = {
    {transmission::byte, false}, {transmission::byte, true}, {transmission::message, true}};

struct planned {
  std::size_t size;
  bool interruptible;
};

/// What must come out, by the rules of docs/protocol.md.
byte_vector reference(const send_queue& q, const std::vector<planned>& plan) {
  constexpr std::size_t fragment = 65536;
  byte_vector expected;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    std::span<const std::byte> payload = q.payloads[i];
    if (!q.framed) {
      append(expected, payload);
    } else if (q.mode == transmission::message) {
      append(expected, message_frames(payload, plan[i].interruptible ? fragment : SIZE_MAX));
    } else {
      const std::size_t cut = plan[i].interruptible ? fragment : SIZE_MAX;
      for (; payload.size() > cut; payload = payload.subspan(cut))
        append(expected, frame(0, payload.first(cut)));
      append(expected, frame(0, payload));
    }
  }
  return expected;
}

const std::vector<std::vector<planned>> queues = {
    {{1, false}},
    {{1, true}, {2, false}, {3, true}},
    {{65535, true}, {65536, true}, {65537, true}, {1, false}},
    {{200 * 1024, false}, {5, false}},
    {{200 * 1024, true}, {131072, true}, {5, true}},
    std::vector<planned>(100, {16, false}),
    {{70000, false}, {70000, true}, {300, true}, {200 * 1024, true}},
};

void check_queue(const kind_of_stream& kind, const std::vector<planned>& plan, const appetite& takes) {
  send_queue q(kind.mode, kind.framed);
  for (const planned& each : plan) q.send(each.size, each.interruptible);
  q.pump(takes);
  CHECK((q.written == reference(q, plan)));
  CHECK(q.out.idle());
  CHECK(q.out.queued_bytes() == 0);
  REQUIRE(q.finished.size() == plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    CHECK(q.finished[i] == &q.items[i]);
    CHECK((q.items[i].complete && q.items[i].sent == plan[i].size));
  }
}

}  // namespace

TEST_CASE("whatever a stream takes of a queue, its bytes are those of the sends in order") {
  for (const auto& kind : kinds) {
    for (const auto& plan : queues) {
      check_queue(kind, plan, everything());
      check_queue(kind, plan, at_most(65536));
      for (std::uint64_t seed = 1; seed <= 5; ++seed) check_queue(kind, plan, random_appetite(seed));
    }
  }
}

TEST_CASE("a stream that takes one byte at a time gets the same bytes") {
  for (const auto& kind : kinds) {
    check_queue(kind, {{1, false}, {66, true}, {3, true}}, at_most(1));
    check_queue(kind, {{300, false}, {7, true}, {9, false}}, at_most(1));
  }
  check_queue(kinds[2], {{65537, true}, {3, true}}, at_most(1));
}

TEST_CASE("a send that meets an idle queue gives the same bytes alone, however many are taken at first") {
  const std::vector<planned> plan = {{1, true}, {300, false}, {65536, true}, {70000, false}, {70000, true}};
  for (const kind_of_stream& kind : kinds) {
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{9}, std::size_t{1} << 20}) {
      send_queue q(kind.mode, kind.framed);
      for (const planned& each : plan) {
        const bool one_write = !kind.framed || !each.interruptible || each.size <= 65536;
        CHECK(q.send_alone(q.make(each.size, each.interruptible), at_most(most)) == one_write);
        q.pump(everything());
      }
      CHECK((q.written == reference(q, plan)));
      CHECK((q.out.idle() && q.blocks.lent() == 0));
    }
  }
}

TEST_CASE("an empty message is one empty frame between its neighbours") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    check_queue(kinds[2], {{0, false}, {0, true}, {3, false}, {0, true}}, random_appetite(seed));
  }
  check_queue(kinds[2], {{0, false}}, at_most(1));
}

TEST_CASE("queued sends are joined in one write, small ones in one piece of memory") {
  send_queue q(transmission::message, true);
  for (int i = 0; i < 10; ++i) q.send(100);
  q.send(1000);
  q.send(100);
  const auto vector = q.out.gather();
  REQUIRE(vector.size() == 4);
  CHECK((vector[0].size() == 1080 && vector[1].size() == 8 && vector[3].size() == 108));
  CHECK(vector[2].data() == q.payloads[10].data());
  q.collect(q.out.account(1080 + 1008 + 108));
  CHECK(q.finished.size() == 12);
}

TEST_CASE("the sending half holds a block only while something is begun") {
  send_queue q(transmission::message, true);
  q.send(100);
  CHECK(q.blocks.lent() == 0);
  q.step(at_most(50));
  CHECK(q.blocks.lent() == 1);
  q.step(everything());
  CHECK((q.blocks.lent() == 0 && q.out.idle()));
  CHECK((q.out.gather().empty() && q.blocks.lent() == 0));
}

TEST_CASE("a reply goes out at the next frame boundary, in order and whole") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    send_queue q(transmission::message, true);
    const std::vector<planned> plan = {{70000, true}, {10, false}, {150000, false}};
    for (const planned& each : plan) q.send(each.size, each.interruptible);
    generator random(seed);
    const appetite takes = random_appetite(seed);
    std::uint64_t pushed = 0;
    while (!q.out.idle()) {
      if (random.below(4) == 0 && pushed < 50)
        q.out.push_reply(wire::make_control(wire::frame_type::pong, pushed++));
      if (!q.step(takes)) break;
    }
    byte_vector data;
    std::uint64_t seen = 0;
    for (const plain_frame& each : take_apart(q.written).frames) {
      if (each.type == 0) {
        append(data, frame(0, each.payload, each.flags));
      } else {
        CHECK(frame(each.type, each.payload) == token_frame(wire::frame_type::pong, seen++));
      }
    }
    CHECK(seen == pushed);
    CHECK((data == reference(q, plan)));
  }
}

TEST_CASE("a reply that the stream did not take is not lost and not sent twice") {
  send_queue q(transmission::message, true);
  for (std::uint64_t i = 0; i < 40; ++i) q.out.push_reply(wire::make_control(wire::frame_type::drained, i));
  q.send(5);
  q.pump(at_most(7));
  byte_vector expected;
  for (std::uint64_t i = 0; i < 40; ++i) append(expected, token_frame(wire::frame_type::drained, i));
  append(expected, message_frames(q.payloads[0]));
  CHECK((q.written == expected));
}

TEST_CASE("a drain keeps its place between the sends and the end comes last") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    send_queue q(transmission::message, true);
    q.send(70000, true);
    q.control(outgoing::kind::control, wire::make_control(wire::frame_type::drain, 7));
    q.send(3);
    q.control(outgoing::kind::end);
    q.control(outgoing::kind::control, wire::make_control(wire::frame_type::drain, 8));
    q.pump(random_appetite(seed));
    byte_vector expected = message_frames(q.payloads[0], 65536);
    append(expected, token_frame(wire::frame_type::drain, 7));
    append(expected, message_frames(q.payloads[1]));
    append(expected, frame(wire::frame_type::end));
    append(expected, token_frame(wire::frame_type::drain, 8));
    CHECK((q.written == expected));
    CHECK(q.finished.size() == 5);
  }
}

TEST_CASE("without frames the end is due when everything before it was taken") {
  send_queue q(transmission::byte, false);
  q.send(100);
  q.send(50);
  outgoing& end = q.control(outgoing::kind::end);
  CHECK_FALSE(q.out.end_is_due());
  q.pump(at_most(33));
  CHECK(q.ends_at == std::vector<std::size_t>{150});
  CHECK((q.finished.back() == &end && end.complete && q.out.idle()));
}

TEST_CASE("a send that is written alone is in flight too, and may be taken back where it was cut off") {
  for (const kind_of_stream& kind : kinds) {
    send_queue q(kind.mode, kind.framed);
    outgoing& item = q.make(100);
    REQUIRE(!q.out.gather_alone(item).empty());
    q.out.keep_alone(item);
    CHECK(q.out.in_flight(item));
    CHECK(q.out.account(0) == nullptr);
    CHECK(!q.out.in_flight(item));
    CHECK((q.out.withdraw(item) == core::outbound::withdrawal::gone && item.sent == 0 && q.out.idle()));
  }
}

TEST_CASE("what the stream has hold of is in flight until it is accounted for") {
  send_queue q(transmission::message, true);
  outgoing& first = q.send(10);
  outgoing& second = q.send(300 * 1024);
  outgoing& third = q.send(10);
  CHECK_FALSE(q.out.in_flight(first));
  static_cast<void>(q.out.gather());
  CHECK((q.out.in_flight(first) && q.out.in_flight(second) && !q.out.in_flight(third)));
  q.collect(q.out.account(0));
  CHECK_FALSE(q.out.in_flight(first));
}
