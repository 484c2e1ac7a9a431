// Worlds whose programs don't let each other end what they have begun.
#include <chrono>
#include <string>
#include <vector>

#include "twinpipe/twinpipe.hpp"
#include "worlds.hpp"

namespace tp::determinism {

using namespace std::chrono_literals;

namespace {

/// What a run has of messages, in the order they came: 'w'hole, or 'a'borted.
int receive_slowly(process& p) {
  auto served = p.bind("messages", {.mode = transmission::message});
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  if (!door) return p.fail(door.error());
  auto client = door->accept({.within = 1min});
  if (!client) return p.fail(client.error());
  std::string seen;
  std::vector<std::byte> part(50'000);
  while (true) {
    p.sleep(1ms);
    const auto got = client->receive(part, {.within = 1min});
    if (got && got->end) break;
    if (!got && got.error() != errc::message_aborted) break;
    if (!got || got->complete) seen += got ? 'w' : 'a';
  }
  p.log(seen);
  return 0;
}

task<void> send_stoppable(connection& to, std::size_t size, std::stop_token stop) {
  const std::vector<std::byte> bytes(size);
  const std::span<const std::byte> all(bytes);
  static_cast<void>(co_await to.send(all).unless(stop));
}

task<void> send_within(connection& to, std::size_t size, duration time) {
  const std::vector<std::byte> bytes(size);
  const std::span<const std::byte> all(bytes);
  static_cast<void>(co_await to.send(all).within(time));
}

task<int> send_and_withdraw(runtime& rt, std::stop_source& stop) {
  auto server = co_await rt.connect("messages", {.mode = transmission::message, .wait_for_server = true});
  if (!server) co_return rt.owner().fail(server.error());
  task_group sends;
  sends.start(send_stoppable(*server, 400'000, stop.get_token()));
  sends.start(send_within(*server, 300'000, 3ms));
  sends.start(send_within(*server, 10, 1min));
  sends.start(send_within(*server, 0, 4ms));
  static_cast<void>(co_await sends.join());
  static_cast<void>(co_await server->close().within(1min));
  co_return 0;
}

}  // namespace

void withdrawn(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("receiver", alice, receive_slowly);
  world.process("sender", alice, [](process& p) {
    std::stop_source stop;
    p.start_thread("stops", [&](thread&) {
      p.sleep(2ms);
      stop.request_stop();
      return 0;
    });
    const int code = p.run([&](runtime& rt) { return send_and_withdraw(rt, stop); });
    return code != 0 ? code : p.join();
  });
}

namespace {

int accept_with_two(process& p) {
  auto served = p.bind("hello", {.handshake_timeout = 5ms, .max_half_open = 2});
  if (!served) return p.fail(served.error());
  for (const char* name : {"left", "right"}) {
    p.start_thread(name, [&p, &served](thread&) {
      auto door = blocking::listen(p, *served);
      if (!door) return p.fail(door.error());
      while (true) {
        auto client = door->accept({.within = 40ms});
        if (!client) return 0;
        static_cast<void>(client->send("welcome", {.within = 1ms}));
      }
    });
  }
  return p.join();
}

sim::program says(std::string words) {
  return [words = std::move(words)](process& p) {
    const auto how = words.empty() ? profile::native : profile::raw;
    auto server = blocking::connect(p, "hello", {.profile = how, .wait_for_server = true}, {.within = 30ms});
    if (!server) return 0;
    if (!words.empty()) static_cast<void>(server->send(words, {.within = 1ms}));
    buffer answer;
    const auto got = server->receive(answer, {.within = 30ms});
    p.log(got ? std::to_string(got->bytes) : std::string(to_string(got.error().code())));
    return 0;
  };
}

}  // namespace

void strangers(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("server", alice, accept_with_two);
  world.process("short", alice, says("t"));
  world.process("wrong", alice, says("GET / HTTP/1.1\r\n\r\n"));
  world.process("right", alice, says(""));
  world.process("other", alice, says(""));
}

}  // namespace tp::determinism
