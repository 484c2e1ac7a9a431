// A connection that is closed while operations are pending on it: each ends, and close says what came of the
// bytes.
#include "support.hpp"

namespace tp::exploration {
namespace {

constexpr std::size_t large = 300 << 10;  // more than a connection takes by itself

struct seen {
  std::size_t arrived = 0, accepted = 0;
  bool told_delivered = false;
};

bool ended_by_close(const error& why) {
  return why == errc::closed || why == errc::discarded || why == errc::connection_lost ||
         why == errc::broken_pipe;
}

/// Closes, or aborts, while one thread receives and another sends.
int close_under_way(process& p, bool abort, seen& all) {
  auto peer = blocking::connect(p, "closing", {.wait_for_server = true, .framed = true}, {.within = 1min});
  if (!peer) return p.fail(peer.error());
  p.start_thread("receives", [&](thread&) {
    std::array<std::byte, 64> into{};
    const auto got = peer->receive(into, {.within = 1min});
    return got || ended_by_close(got.error()) ? 0 : p.fail(got.error());
  });
  p.start_thread("sends", [&](thread&) {
    const std::string text(large, 'x');
    const auto sent = peer->send(text, {.within = 1min});
    if (sent) all.accepted = *sent;
    return sent || ended_by_close(sent.error()) ? 0 : p.fail(sent.error());
  });
  p.sleep(0ns);
  if (abort) {
    peer->abort();
  } else if (const auto how = peer->close({.within = 1min}); how) {
    all.told_delivered = *how == delivery::delivered;
  } else if (!ended_by_close(how.error())) {
    return p.fail(how.error());
  }
  return p.join();
}

/// Reads to the end, or leaves with everything unread.
int peer_of_it(process& p, bool reads, seen& all) {
  auto served = p.bind("closing", {.framed = true});
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  auto client = door->accept({.within = 1min});
  if (!client) return p.fail(client.error());
  std::array<std::byte, 32 << 10> into{};
  while (reads) {
    const auto got = client->receive(into, {.within = 1min});
    if (!got) return ended_by_close(got.error()) ? 0 : p.fail(got.error());
    if (got->end) break;
    all.arrived += got->bytes;
  }
  return 0;
}

sim::scenario closing(bool abort) {
  return [abort](sim::world& world) {
    const auto alice = world.user("alice");
    const auto all = std::make_shared<seen>();
    const bool reads = world.choose(2) == 0;
    world.process("peer", alice, [=](process& p) { return peer_of_it(p, reads, *all); });
    world.process("closer", alice, [=](process& p) {
      const int came = close_under_way(p, abort, *all);
      if (came != 0) return came;
      return all->told_delivered && all->arrived < all->accepted ? 2 : 0;
    });
  };
}

/// A thread that receives while another closes, and the peer sends one byte, without a handshake.
void close_beside_one_receive(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("closer", alice, [](process& p) {
    auto served = p.bind("byte", {.profile = profile::raw});
    auto door = blocking::listen(p, *served);
    auto peer = door->accept();
    p.start_thread("receives", [&](thread&) {
      std::array<std::byte, 1> into{};
      const auto got = peer->receive(into);
      return got || ended_by_close(got.error()) ? 0 : 1;
    });
    return peer->close() ? p.join() : 1;
  });
  world.process("peer", alice, [](process& p) {
    auto server = blocking::connect(p, "byte", {.profile = profile::raw, .wait_for_server = true});
    const auto sent = server->send("x");
    return sent || ended_by_close(sent.error()) ? 0 : 1;
  });
}

}  // namespace

TEST_CASE("close ends a receive and a send that wait, and says delivered only of what the peer has got") {
  explore_many(closing(false));
}

TEST_CASE("abort ends a receive and a send that wait, at every moment") {
  explore_many(closing(true));
}

TEST_CASE("close beside a receive that waits: all schedules with two preemptions") {
  prove(close_beside_one_receive, 2, 300);
}

namespace {

/// The drain begins when the other thread's send has been accepted; by then its own thread sleeps.
void drain_behind_a_send(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("writer", alice, [](process& p) {
    auto slow = blocking::connect(p, "slow", {.profile = profile::raw, .wait_for_server = true});
    if (!slow) return p.fail(slow.error());
    p.start_thread("sends", [&](thread&) {
      const std::vector<std::byte> much(400'000);
      return slow->send(much) ? 0 : 1;
    });
    p.sleep(10ms);
    const auto drained = slow->drain({.within = 1min});
    return drained ? p.join() : p.fail(drained.error());
  });
  world.process("reader", alice, [](process& p) {
    auto served = p.bind("slow", {.profile = profile::raw});
    auto door = blocking::listen(p, *served);
    auto client = door->accept();
    if (!client) return p.fail(client.error());
    std::vector<std::byte> into(1000);
    for (std::size_t left = 400'000; left > 0;) {
      if (left % 100'000 == 0) p.sleep(1s);
      const auto got = client->receive(std::span(into).first(std::min(left, into.size())));
      if (!got || got->end) return 1;
      left -= got->bytes;
    }
    p.sleep(2min);
    return 0;
  });
}

}  // namespace

TEST_CASE("a drain that waits for another thread's send ends soon after its bytes were read") {
  sim::explore({.runs = many / 20}, drain_behind_a_send);
}

}  // namespace tp::exploration
