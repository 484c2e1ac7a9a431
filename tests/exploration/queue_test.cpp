// Sends that wait in one queue: whole, in order, and one that is stopped doesn't come.
#include <array>
#include <string>

#include "support.hpp"

namespace tp::exploration {
namespace {

constexpr int senders = 3, each_sends = 3;
constexpr std::size_t size = 96 << 10;  // some of them wait for the peer

/// What the receiver has got of each sender, and what the senders have been told.
struct account {
  std::array<int, senders> last = {-1, -1, -1};
  std::array<std::array<bool, each_sends>, senders> came{}, told{};
  bool wrong = false;

  void take(std::string_view text) {
    const auto who = static_cast<std::size_t>(text[0] - 'a');
    const int number = text[1] - '0';
    wrong |= text.size() != size || text.back() != text[0] || number <= last[who];
    last[who] = number;
    came[who][static_cast<std::size_t>(number)] = true;
  }
};

std::string message_of(int who, int number) {
  std::string made(size, static_cast<char>('a' + who));
  made[1] = static_cast<char>('0' + number);
  return made;
}

task<result<void>> send_some(connection& to, int who, std::stop_token stop, std::shared_ptr<account> all) {
  for (int i = 0; i < each_sends; ++i) {
    const std::string text = message_of(who, i);
    const auto sent = co_await to.send(text).unless(stop);
    if (!sent && sent.error() != errc::cancelled) co_return fail(sent);
    all->told[static_cast<std::size_t>(who)][static_cast<std::size_t>(i)] = sent.has_value();
  }
  co_return {};
}

task<int> send_all(runtime& rt, std::shared_ptr<account> all) {
  auto peer =
      co_await rt.connect("queue", {.mode = transmission::message, .wait_for_server = true}).within(1min);
  if (!peer) co_return rt.owner().fail(peer.error());
  std::stop_source stop;
  task_group group;
  for (int who = 0; who < senders; ++who)
    group.start(send_some(*peer, who, who == 1 ? stop.get_token() : std::stop_token(), all));
  static_cast<void>(co_await rt.sleep(1ms));
  stop.request_stop();
  if (auto ended = co_await group.join(); !ended) co_return rt.owner().fail(ended.error());
  co_return (co_await peer->close().within(1min)) == delivery::delivered ? 0 : 1;
}

int send_by_threads(process& p, const std::shared_ptr<account>& all) {
  auto peer = blocking::connect(p, "queue", {.mode = transmission::message, .wait_for_server = true},
                                {.within = 1min});
  if (!peer) return p.fail(peer.error());
  std::stop_source stop;
  for (int who = 0; who < senders; ++who) {
    p.start_thread("sender", [&, who](thread&) {
      for (int i = 0; i < each_sends; ++i) {
        const auto sent =
            peer->send(message_of(who, i), {.unless = who == 1 ? stop.get_token() : std::stop_token()});
        if (!sent && sent.error() != errc::cancelled) return p.fail(sent.error());
        all->told[static_cast<std::size_t>(who)][static_cast<std::size_t>(i)] = sent.has_value();
      }
      return 0;
    });
  }
  p.sleep(1ms);
  stop.request_stop();
  if (const int came = p.join(); came != 0) return came;
  return peer->close({.within = 1min}) == delivery::delivered ? 0 : 1;
}

/// Takes everything, slowly at first, and compares with what the senders were told.
int receive_all(process& p, account& all) {
  auto served = p.bind("queue", {.mode = transmission::message});
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  auto peer = door->accept({.within = 1min});
  if (!peer) return p.fail(peer.error());
  p.sleep(1ms);
  buffer into;
  while (true) {
    const auto got = peer->receive(into, {.within = 1min});
    if (!got && got.error() == errc::message_aborted) continue;  // stopped with some of it under way
    if (!got) return p.fail(got.error());
    if (got->end) break;
    all.take(into.text());
  }
  return all.wrong ? 2 : 0;
}

template <class Sender>
sim::scenario queue_of(Sender send) {
  return [send](sim::world& world) {
    const auto alice = world.user("alice");
    const auto all = std::make_shared<account>();
    world.process("sender", alice, [send, all](process& p) {
      const int came = send(p, all);
      return came != 0 ? came : all->came == all->told ? 0 : 3;
    });
    world.process("receiver", alice, [all](process& p) { return receive_all(p, *all); });
  };
}

/// Two threads that send one byte each, without a handshake.
void two_senders_of_one_byte(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("senders", alice, [](process& p) {
    auto peer = blocking::connect(p, "bytes", {.profile = profile::raw, .wait_for_server = true});
    p.start_thread("one", [&](thread&) { return peer->send("1") ? 0 : 1; });
    p.start_thread("two", [&](thread&) { return peer->send("2") ? 0 : 1; });
    return p.join();
  });
  world.process("receiver", alice, [](process& p) {
    auto served = p.bind("bytes", {.profile = profile::raw});
    auto door = blocking::listen(p, *served);
    auto peer = door->accept();
    std::string all;
    buffer into;
    for (auto got = peer->receive(into); got && !got->end; got = peer->receive(into)) all += into.text();
    return all == "12" || all == "21" ? 0 : 1;
  });
}

}  // namespace

TEST_CASE("messages that several tasks send are whole and in order, and come exactly if their sends say so") {
  explore_many(queue_of([](process& p, const std::shared_ptr<account>& all) {
    return p.run([all](runtime& rt) { return send_all(rt, all); });
  }));
}

TEST_CASE(
    "messages that several threads send are whole and in order, and come exactly if their sends say so") {
  explore_many(queue_of(send_by_threads));
}

TEST_CASE("two threads that send at once: all schedules with one preemption") {
  prove(two_senders_of_one_byte, 1, 500);
}

namespace {

/// Each thread waits in a call that can be stopped, for what another one may do for it.
int sends_drains_and_receives(process& p) {
  auto slow = blocking::connect(p, "slow", {.wait_for_server = true}, {.within = 1min});
  if (!slow) return p.fail(slow.error());
  std::stop_source stop;
  const blocking::limits stoppable{.within = 1min, .unless = stop.get_token()};
  for (int i = 0; i < 2; ++i) {
    p.start_thread("sends", [&](thread&) {
      const std::vector<std::byte> much(400'000);
      return slow->send(much, stoppable) ? 0 : 1;
    });
  }
  p.start_thread("drains", [&](thread&) {
    p.sleep(1ms);
    return slow->drain(stoppable) ? 0 : 1;
  });
  p.start_thread("receives", [&](thread&) {
    p.sleep(2s);
    buffer into;
    const auto got = slow->receive(into, stoppable);
    return got && into.text() == "got it all" ? 0 : 1;
  });
  return p.join();
}

int reads_late(process& p) {
  auto served = p.bind("slow");
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  auto client = door->accept();
  if (!client) return p.fail(client.error());
  for (const int part : {420'000, 380'000}) {
    p.sleep(part == 420'000 ? 1s : 3s);
    std::vector<std::byte> into(1000);
    for (auto left = static_cast<std::size_t>(part); left > 0;) {
      const auto got = client->receive(std::span(into).first(std::min(left, into.size())), {.within = 1min});
      if (!got || got->end) return 1;
      left -= got->bytes;
    }
  }
  return client->send("got it all") ? 0 : 1;
}

}  // namespace

TEST_CASE("threads that send and drain and receive over one connection don't call each other for ever") {
  sim::explore({.runs = many / 20, .most_steps = 100'000}, [](sim::world& world) {
    const auto alice = world.user("alice");
    world.process("reader", alice, reads_late);
    world.process("writer", alice, sends_drains_and_receives);
  });
}

}  // namespace tp::exploration
