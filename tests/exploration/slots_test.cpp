// Instances of one endpoint over several threads: never more than its maximum, and nobody is forgotten.
#include <string>

#include "support.hpp"

namespace tp::exploration {
namespace {

struct gauge {
  int served = 0;
  bool exceeded = false;
};

/// Threads that serve one client after the other, more of them than there are instances.
sim::program echo_server(int threads, std::size_t instances, std::shared_ptr<gauge> seen) {
  return [=](process& p) {
    auto served = p.bind("echo", {.mode = transmission::message, .max_instances = instances});
    if (!served) return p.fail(served.error());
    const auto work = [&p, &served, instances, seen](thread&) -> int {
      auto door = blocking::listen(p, *served);
      if (!door) return p.fail(door.error());
      while (true) {
        auto client = door->accept();
        if (!client) return p.fail(client.error());
        seen->exceeded |= static_cast<std::size_t>(++seen->served) > instances;
        buffer words;
        if (const auto got = client->receive(words); got && !got->end)
          static_cast<void>(client->send(words.text()));
        --seen->served;
      }
    };
    for (int i = 0; i < threads; ++i) {
      if (auto started = p.start_thread("worker", work); !started) return p.fail(started.error());
    }
    return p.join();
  };
}

sim::scenario clients_at(int threads, std::size_t instances, int clients) {
  return [=](sim::world& world) {
    const auto alice = world.user("alice");
    const auto seen = std::make_shared<gauge>();
    world.process("server", alice, echo_server(threads, instances, seen), {.background = true});
    for (int i = 0; i < clients; ++i) {
      world.process("client " + std::to_string(i), alice, [seen](process& p) {
        const int came = ask(p, "echo", "hello");
        return seen->exceeded ? 2 : came;
      });
    }
  };
}

/// Two threads, one instance, two clients without a handshake: each gets its byte.
void one_instance_for_two(sim::world& world) {
  const auto alice = world.user("alice");
  const auto seen = std::make_shared<gauge>();
  world.process("server", alice, [seen](process& p) {
    auto served = p.bind("byte", {.profile = profile::raw, .max_instances = 1});
    const auto work = [&p, &served, seen](thread&) -> int {
      auto door = blocking::listen(p, *served);
      auto client = door->accept();
      if (!client) return p.fail(client.error());
      seen->exceeded |= ++seen->served > 1;
      const bool sent = client->send("x").has_value();
      --seen->served;
      return sent ? 0 : 1;
    };
    p.start_thread("other", work);
    thread self(p, "main");
    const int mine = work(self);
    return seen->exceeded ? 2 : mine + p.join();
  });
  for (int i = 0; i < 2; ++i) {
    world.process("client " + std::to_string(i), alice, [](process& p) {
      auto server = blocking::connect(p, "byte", {.profile = profile::raw, .wait_for_server = true});
      std::array<std::byte, 1> into{};
      return server && server->receive(into)->bytes == 1 ? 0 : 1;
    });
  }
}

}  // namespace

TEST_CASE("three threads share two instances: never a third client at once, and every one is served") {
  explore_many(clients_at(3, 2, 4));
}

TEST_CASE("two threads share one instance, for two clients: all schedules with one preemption") {
  prove(one_instance_for_two, 1, 5000);
}

}  // namespace tp::exploration
