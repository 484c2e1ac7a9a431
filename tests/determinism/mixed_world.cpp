// A world with a bit of everything: coroutines and threads, locks, timers, chance, and latency.
#include <array>
#include <mutex>

#include "twinpipe/twinpipe.hpp"
#include "worlds.hpp"

namespace tp::determinism {

using namespace std::chrono_literals;

namespace {

task<result<void>> answer(connection client) {
  buffer into;
  while (true) {
    auto got = co_await client.receive(into);
    if (!got) co_return fail(got);
    if (got->end) co_return {};
    auto sent = co_await client.send(into.text());
    if (!sent) co_return fail(sent);
  }
}

task<int> serve_two(runtime& rt) {
  auto served = rt.owner().bind("mixed", {.mode = transmission::message, .max_instances = 1});
  if (!served) co_return 1;
  auto door = rt.listen(*served);
  if (!door) co_return 1;
  task_group clients;
  for (int i = 0; i < 2; ++i) {
    auto client = co_await door->accept();
    if (!client) co_return 1;
    clients.start(answer(std::move(*client)));
  }
  auto all = co_await clients.join();
  co_return all ? 0 : 1;
}

int ask(process& p) {
  std::array<std::byte, 1> chance;
  p.random(chance);
  p.sleep(std::chrono::milliseconds(std::to_integer<int>(chance[0]) % 3));
  auto server = blocking::connect(p, "mixed", {.mode = transmission::message, .wait_for_server = true},
                                  {.within = 1min});
  if (!server) return p.fail(server.error());
  mutex turn(p);
  condition received(p);
  int answers = 0;
  p.start_thread("reader", [&](thread&) {
    buffer into;
    for (int i = 0; i < 3; ++i) {
      if (!server->receive(into)) return 1;
      const std::scoped_lock held(turn);
      ++answers;
      received.notify_one();
    }
    return 0;
  });
  for (int i = 0; i < 3; ++i) {
    if (!server->send("question")) return 1;
    const std::scoped_lock held(turn);
    while (answers <= i) received.wait(turn);
  }
  return p.join();
}

}  // namespace

void mixed(sim::world& world) {
  const auto alice = world.user("alice");
  world.add_faults(sim::latency(0ms, 2ms));
  world.process("server", alice, [](process& p) { return p.run(serve_two); });
  world.process("one", alice, ask);
  world.process("two", alice, ask);
}

}  // namespace tp::determinism
