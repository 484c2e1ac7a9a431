// Worlds in which something goes wrong that isn't the programs' own doing.
#include <chrono>
#include <string>

#include "twinpipe/twinpipe.hpp"
#include "worlds.hpp"

namespace tp::determinism {

using namespace std::chrono_literals;

namespace {

task<void> echo(connection client) {
  buffer words;
  while (true) {
    const auto got = co_await client.receive(words).within(1s);
    if (!got || got->end) break;
    const auto sent = co_await client.send(words.text()).within(1s);
    if (!sent) break;
  }
  static_cast<void>(co_await client.close().within(20ms));
}

task<int> serve_for_ever(runtime& rt) {
  auto served = rt.owner().bind("echo", {.mode = transmission::message, .max_instances = 2});
  while (!served) {
    static_cast<void>(co_await rt.sleep(1ms));
    served = rt.owner().bind("echo", {.mode = transmission::message, .max_instances = 2});
  }
  auto door = rt.listen(*served);
  if (!door) co_return 1;
  task_group clients;
  while (true) {
    auto client = co_await door->accept();
    if (client) {
      clients.start(echo(std::move(*client)));
    } else {
      static_cast<void>(co_await rt.sleep(1ms));
    }
  }
}

int server(process& p) {
  return p.run(serve_for_ever);
}

/// Three words, one after the other; as often as it takes, up to four times.
int client(process& p) {
  for (int tries = 0; tries < 4; ++tries) {
    auto server = blocking::connect(p, "echo", {.mode = transmission::message, .wait_for_server = true},
                                    {.within = 100ms});
    if (!server) continue;
    buffer answer;
    int answers = 0;
    for (; answers < 3; ++answers) {
      if (const auto sent = server->send("word", {.within = 50ms}); !sent) break;
      const auto got = server->receive(answer, {.within = 50ms});
      if (!got || got->end) break;
    }
    if (answers == 3) {
      static_cast<void>(server->close({.within = 50ms}));
      return 0;
    }
    p.log(std::to_string(answers) + " answers");
  }
  return 0;
}

}  // namespace

void troubled(sim::world& world) {
  const auto alice = world.user("alice");
  world.add_faults(sim::sometimes(sim::act::accept, 6, {.fails = errc::no_resources}));
  world.add_faults(sim::sometimes(sim::act::bind, 3, {.fails = errc::no_resources}));
  world.add_faults(sim::sometimes(sim::act::connect, 6, {.delay = 3ms}));
  world.add_faults(sim::sometimes(sim::act::write, 20, {.resets = true}));
  world.add_faults(sim::sometimes(sim::act::read, 20, {.delay = 2ms, .fails = errc::io_error}));
  sim::hosted& victim = world.process("server", alice, server, {.background = true});
  world.process("supervisor", alice, [&world, &victim](process& p) {
    for (auto moment = world.choose(80); moment > 0; --moment) p.sleep(0ns);
    victim.kill();
    p.sleep(1ms);
    victim.restart();
    return 0;
  });
  world.process("one", alice, client);
  world.process("two", alice, client);
  world.process("three", alice, client);
}

void two_hosts(sim::world& world) {
  sim::host& north = world.add_host("north");
  for (sim::host* const on : {&north, &world.add_host("south")}) {
    const auto alice = on->user("alice");
    on->process("server", alice, server, {.background = true});
    on->process("one", alice, client, {.background = on == &north});
    on->process("two", alice, client, {.background = on == &north});
  }
  world.process("power", world.user("root", sim::privileged), [&world, &north](process& p) {
    for (auto moment = world.choose(80); moment > 0; --moment) p.sleep(0ns);
    north.crash();
    p.sleep(1ms);
    north.restart();
    p.sleep(10ms);
    return 0;
  });
}

}  // namespace tp::determinism
