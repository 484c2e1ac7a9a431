// A day in which hardly anything happens.
#include <string>
#include <vector>

#include "measured.hpp"
#include "twinpipe/twinpipe.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr int clients = 10;

/// Takes heartbeats until the client leaves.
tp::task<int> listen_to(tp::connection client) {
  tp::buffer beat;
  while (true) {
    const auto got = co_await client.receive(beat);
    if (!got) co_return 1;
    if (got->end) co_return 0;
  }
}

tp::task<void> keep(tp::task<int> what, int& failed) {
  failed |= co_await std::move(what);
}

tp::task<int> serve(tp::runtime& rt) {
  auto served = rt.owner().bind("hearts", {.mode = tp::transmission::message});
  auto door = rt.listen(*served);
  tp::task_group all;
  int failed = 0;
  for (int i = 0; i < clients; ++i) {
    auto client = co_await door->accept();
    if (!client) co_return 1;
    all.start(keep(listen_to(std::move(*client)), failed));
  }
  static_cast<void>(co_await all.join());
  co_return failed;
}

tp::task<int> beat(tp::runtime& rt, long seconds) {
  auto server = co_await rt.connect("hearts", {.mode = tp::transmission::message, .wait_for_server = true});
  if (!server) co_return 1;
  for (long i = 0; i < seconds; ++i) {
    const auto slept = co_await rt.sleep(1s);
    const auto sent = co_await server->send("still here");
    if (!slept || !sent) co_return 1;
  }
  co_return 0;
}

}  // namespace

// Seconds of CPU time for 24 hours.
figure day(double scale) {
  const long seconds = static_cast<long>(24 * 60 * 60 * scale) + 1;
  const figure days = rate(static_cast<double>(seconds) / (24 * 60 * 60), [=](tp::sim::world& world) {
    const auto u = world.user("u");
    world.process("server", u, [](tp::process& p) { return p.run(serve); });
    for (int i = 0; i < clients; ++i) {
      world.process("client " + std::to_string(i), u, [=](tp::process& p) {
        return p.run([=](tp::runtime& rt) { return beat(rt, seconds); });
      });
    }
  });
  return {1 / days.value, days.hash};
}

}  // namespace bench
