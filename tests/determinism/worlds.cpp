// Worlds of chance, and of who may do what.
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "twinpipe/twinpipe.hpp"
#include "worlds.hpp"

namespace tp::determinism {

using namespace std::chrono_literals;

namespace {

/// One client after the other; each is sent back what it has sent.
int give_back(process& p) {
  auto served = p.bind("bytes");
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  if (!door) return p.fail(door.error());
  for (int i = 0; i < 2; ++i) {
    auto client = door->accept({.within = 1min});
    if (!client) return p.fail(client.error());
    buffer into;
    while (true) {
      const auto got = client->receive(into, {.within = 1min});
      if (!got || got->end) break;
      static_cast<void>(client->send(into.bytes(), {.within = 1min}));
    }
  }
  return 0;
}

int send_random(process& p) {
  auto server = blocking::connect(p, "bytes", {.wait_for_server = true}, {.within = 1min});
  if (!server) return p.fail(server.error());
  std::array<std::byte, 2> size{};
  p.random(size);
  std::vector<std::byte> bytes(1 +
                               std::to_integer<std::size_t>(size[0]) * std::to_integer<std::size_t>(size[1]));
  p.random(bytes);
  p.start_thread("sender", [&](thread&) {
    static_cast<void>(server->send(bytes, {.within = 1min}));
    static_cast<void>(server->shutdown({.within = 1min}));
    return 0;
  });
  std::uint64_t sum = 0;
  buffer into;
  while (true) {
    const auto got = server->receive(into, {.within = 1min});
    if (!got || got->end) break;
    for (const std::byte each : into.bytes()) sum = sum * 31 + std::to_integer<std::uint64_t>(each);
  }
  p.log(std::to_string(sum));
  return p.join();
}

}  // namespace

void random_bytes(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("server", alice, give_back);
  world.process("one", alice, send_random);
  world.process("two", alice, send_random);
}

namespace {

constexpr int actors = 4;

int act_for_clients(process& p) {
  auto served = p.bind("files", {.mode = transmission::message, .access = access_policy::everyone_local()});
  if (!served) return p.fail(served.error());
  for (int i = 0; i < 2; ++i) {
    p.start_thread("worker", [&p, &served](thread&) {
      auto door = blocking::listen(p, *served);
      if (!door) return p.fail(door.error());
      for (int clients = 0; clients < actors / 2; ++clients) {
        auto client = door->accept({.within = 1min});
        if (!client) return p.fail(client.error());
        const auto text = client->run_as_client([&] { return p.files().read("/srv/staff", 4096); });
        const std::string answer = text ? *text : std::string(to_string(text.error().code()));
        static_cast<void>(client->send(answer, {.within = 1min}));
        static_cast<void>(client->close({.within = 1min}));
      }
      return 0;
    });
  }
  return p.join();
}

sim::program asks_at(impersonation_level level) {
  return [level](process& p) {
    auto server = blocking::connect(p, "files",
                                    {.mode = transmission::message, .level = level, .wait_for_server = true},
                                    {.within = 1min});
    if (!server) return p.fail(server.error());
    buffer answer;
    static_cast<void>(server->receive(answer, {.within = 1min}));
    p.log(answer.text());
    static_cast<void>(server->close({.within = 1min}));
    return 0;
  };
}

}  // namespace

void impersonation(sim::world& world) {
  const auto root = world.user("root", sim::privileged);
  const auto member = world.user("member", sim::privilege::none, {50}), other = world.user("other");
  world.file("/srv/staff", {.owner = root, .group = 50, .mode = 0640, .contents = "for the staff"});
  world.process("server", root, act_for_clients);
  world.process("member", member, asks_at(impersonation_level::impersonation));
  world.process("guest", other, asks_at(impersonation_level::delegation));
  world.process("shy", member, asks_at(impersonation_level::identification));
  world.process("nobody", other, asks_at(impersonation_level::anonymous));
}

}  // namespace tp::determinism
