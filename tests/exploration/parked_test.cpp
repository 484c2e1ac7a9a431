// Clients that connect and don't say hello, beside some that do.
#include <string>

#include "support.hpp"

namespace tp::exploration {
namespace {

/// Threads that accept; the one that takes a client over need not be the one that has parked it.
int patient_server(process& p) {
  auto served = p.bind("echo", {.mode = transmission::message, .handshake_timeout = 1s, .max_half_open = 8});
  if (!served) return p.fail(served.error());
  const auto work = [&p, &served](thread&) -> int {
    auto door = blocking::listen(p, *served);
    if (!door) return p.fail(door.error());
    while (true) {
      auto client = door->accept({.within = 1h});
      if (!client) return p.fail(client.error());
      buffer words;
      if (const auto got = client->receive(words); got && !got->end)
        static_cast<void>(client->send(words.text()));
    }
  };
  p.start_thread("one", work);
  p.start_thread("two", work);
  return p.join();
}

/// Connects and says nothing, too little or nonsense; leaves at once or stays until it is put out.
sim::program odd_client(sim::world& world) {
  return [&world](process& p) {
    auto server =
        blocking::connect(p, "echo", {.profile = profile::raw, .wait_for_server = true}, {.within = 1min});
    if (!server) return p.fail(server.error());
    constexpr std::string_view words[] = {"", "T", "nonsense, and more of it than any hello has"};
    const auto said = words[world.choose(3)];
    if (!said.empty()) static_cast<void>(server->send(said));
    if (world.choose(2) == 0) return 0;
    std::array<std::byte, 256> answer{};
    while (true) {
      const auto got = server->receive(answer, {.within = 1min});
      if (!got && got.error() == errc::timed_out) return 1;  // it was never put out
      if (!got || got->end) return 0;
    }
  };
}

sim::scenario odd_and_honest(int odd, int honest) {
  return [=](sim::world& world) {
    const auto alice = world.user("alice");
    world.process("server", alice, patient_server, {.background = true});
    for (int i = 0; i < odd; ++i) world.process("odd " + std::to_string(i), alice, odd_client(world));
    for (int i = 0; i < honest; ++i)
      world.process("honest " + std::to_string(i), alice, [](process& p) { return ask(p, "echo", "hello"); });
  };
}

/// One that says nothing and leaves, and one that says hello.
void one_mute_and_one_honest(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("server", alice, [](process& p) {
    auto served = p.bind("echo", {.mode = transmission::message});
    auto door = blocking::listen(p, *served);
    auto client = door->accept();
    return client && client->send("x") ? 0 : 1;
  });
  world.process("mute", alice, [](process& p) {  // too late, if the server has served and left
    static_cast<void>(
        blocking::connect(p, "echo", {.profile = profile::raw, .wait_for_server = true}, {.within = 1s}));
    return 0;
  });
  world.process("honest", alice, [](process& p) {
    auto server = blocking::connect(p, "echo", {.mode = transmission::message, .wait_for_server = true});
    buffer into;
    return server && server->receive(into)->bytes == 1 ? 0 : 1;
  });
}

}  // namespace

TEST_CASE("clients that don't say hello are put out in time, and keep nobody else from being served") {
  explore_many(odd_and_honest(2, 2));
}

TEST_CASE("one mute client beside an honest one: all schedules with two preemptions") {
  prove(one_mute_and_one_honest, 2, 1000);
}

}  // namespace tp::exploration
