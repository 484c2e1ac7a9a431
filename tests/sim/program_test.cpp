// Programs of a world: client and server as main() would run them, and what becomes of those that are killed.
#include <catch2/catch.hpp>
#include <set>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Four threads; each serves clients one after the other, each one file with the client's own rights.
int file_server(process& p) {
  auto served =
      p.bind("files",
             {.mode = transmission::message, .max_instances = 4, .access = access_policy::everyone_local()});
  if (!served) return p.fail(served.error());
  const auto work = [&p, served = *served](thread&) -> int {
    auto door = blocking::listen(p, served);
    if (!door) return p.fail(door.error());
    while (true) {
      auto client = door->accept();
      if (!client) return p.fail(client.error());
      buffer request;
      const auto got = client->receive(request, {.within = 5s});
      if (!got || got->end) continue;
      auto text = client->run_as_client([&] { return p.files().read(request.text(), 1 << 20); });
      static_cast<void>(client->send(text ? *text : std::string(to_string(text.error().code()))));
    }
  };
  for (int i = 0; i < 4; ++i) {
    if (auto started = p.start_thread("worker", work); !started) return p.fail(started.error());
  }
  return p.join();
}

result<std::string> ask_for(process& p, std::string_view path) {
  auto server = blocking::connect(
      p, "files",
      {.mode = transmission::message, .level = impersonation_level::impersonation, .wait_for_server = true},
      {.within = 10s});
  if (!server) return fail(server);
  if (auto sent = server->send(path); !sent) return fail(sent);
  buffer reply;
  auto got = server->receive(reply, {.within = 10s});
  if (!got) return fail(got);
  return std::string(got->end ? "end" : reply.text());
}

sim::program client_that_expects(std::string path, std::string reply) {
  return [path = std::move(path), reply = std::move(reply)](process& p) {
    const auto got = ask_for(p, path);
    if (!got) return p.fail(got.error());
    if (*got == reply) return 0;
    p.log("got: " + *got);
    return 1;
  };
}

}  // namespace

THREADED_TEST_CASE("four threads serve each client with that client's own rights, in every schedule tried") {
  const auto seen = sim::explore({.runs = 300, .twice = true}, [](sim::world& world) {
    const auto root = world.user("root", sim::privileged), alice = world.user("alice"),
               bob = world.user("bob");
    world.file("/srv/secret", {.owner = alice, .mode = 0600, .contents = "of alice"});
    world.process("server", root, file_server);
    world.process("alice's", alice, client_that_expects("/srv/secret", "of alice"));
    world.process("bob's", bob, client_that_expects("/srv/secret", "access_denied"));
  });
  CHECK(seen.runs == 300);
}

namespace {

/// Serves for ever, each client by a task that waits for the client's words, beside a task that only sleeps.
task<result<void>> echo(connection client) {
  buffer into;
  while (true) {
    auto got = co_await client.receive(into);
    if (!got) co_return fail(got);
    if (got->end) co_return {};
    if (auto sent = co_await client.send(into.text()); !sent) co_return fail(sent);
  }
}

task<result<void>> tick(runtime& rt) {
  while (true) {
    if (auto slept = co_await rt.sleep(1ms); !slept) co_return fail(slept);
  }
}

task<int> serve_echoes(runtime& rt) {
  auto served = rt.owner().bind("echo");
  if (!served) co_return rt.owner().fail(served.error());
  auto door = rt.listen(*served);
  if (!door) co_return rt.owner().fail(door.error());
  task_group others;
  others.start(tick(rt));
  while (true) {
    auto client = co_await door->accept();
    if (!client) co_return rt.owner().fail(client.error());
    others.start(echo(std::move(*client)));
  }
}

int echo_server(process& p) {
  return p.run([](runtime& rt) { return serve_echoes(rt); });
}

/// Talks until the server is gone, which is what it expects.
int talk_to_the_end(process& p) {
  auto server = blocking::connect(p, "echo", {.wait_for_server = true}, {.within = 10s});
  if (!server) return 0;
  buffer into;
  while (true) {
    if (!server->send("hello")) return 0;
    const auto got = server->receive(into);
    if (!got || got->end) return 0;
  }
}

}  // namespace

THREADED_TEST_CASE("a server of coroutines may be killed at any moment, and its clients see the end of it") {
  for (int moment = 0; moment < 120; ++moment) {
    sim::explore({.runs = 5, .first_seed = static_cast<std::uint64_t>(moment) * 1000},
                 [&](sim::world& world) {
                   const auto alice = world.user("alice");
                   sim::hosted& server = world.process("server", alice, echo_server, {.background = true});
                   world.process("client", alice, talk_to_the_end);
                   world.process("killer", alice, [&server, moment](process& p) {
                     for (int i = 0; i < moment; ++i) p.sleep(0ns);
                     server.kill();
                     return 0;
                   });
                 });
  }
}

THREADED_TEST_CASE("a server of threads may be killed at any moment, inside run_as_client too") {
  for (int moment = 0; moment < 120; ++moment) {
    sim::explore({.runs = 5, .first_seed = static_cast<std::uint64_t>(moment) * 1000},
                 [&](sim::world& world) {
                   const auto root = world.user("root", sim::privileged), alice = world.user("alice");
                   world.file("/srv/secret", {.owner = alice, .mode = 0600, .contents = "of alice"});
                   sim::hosted& server = world.process("server", root, file_server, {.background = true});
                   world.process("client", alice, [](process& p) {
                     static_cast<void>(ask_for(p, "/srv/secret"));  // it may well fail
                     return 0;
                   });
                   world.process("killer", root, [&server, moment](process& p) {
                     for (int i = 0; i < moment; ++i) p.sleep(0ns);
                     server.kill();
                     return 0;
                   });
                 });
  }
}

THREADED_TEST_CASE("others may see some connections of a killed process ended and the next ones not yet") {
  std::set<bool> lived;
  sim::explore({.runs = 300}, [&lived](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& server = world.process("server", alice, [](process& p) {
      auto served = p.bind("two", {.profile = profile::raw});
      auto door = blocking::listen(p, *served);
      const auto first = door->accept(), second = door->accept();
      p.sleep(1h);
      return 0;
    });
    world.process("client", alice, [&lived](process& p) {
      const connect_options raw{.profile = profile::raw, .wait_for_server = true};
      auto first = blocking::connect(p, "two", raw), second = blocking::connect(p, "two", raw);
      buffer nothing;
      CHECK(first->receive(nothing)->end);
      lived.insert(second->send("x").has_value());
      return 0;
    });
    world.process("killer", alice, [&server](process& p) {
      p.sleep(1s);
      server.kill();
      return 0;
    });
  });
  CHECK(lived == std::set{false, true});
}

THREADED_TEST_CASE("a program that was killed starts again, and its clients find it") {
  sim::explore({.runs = 100}, [](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& server = world.process("server", alice, echo_server, {.background = true});
    world.process("supervisor", alice, [&server](process& p) {
      p.sleep(2ms);
      server.kill();
      server.restart();
      return 0;
    });
    world.process("client", alice, [](process& p) {
      p.sleep(5ms);
      auto connected = blocking::connect(p, "echo", {.wait_for_server = true}, {.within = 10s});
      if (!connected) return p.fail(connected.error());
      buffer into;
      if (!connected->send("still there?")) return 1;
      const auto got = connected->receive(into);
      return got && into.text() == "still there?" ? 0 : 1;
    });
  });
}

namespace {

task<void> doze(runtime& rt) {
  while (true) {
    rt.owner().sleep(1ms);  // the thread with all of its tasks
    static_cast<void>(co_await rt.sleep(1ms));
  }
}

/// Has a task that blocks, and waits itself: for an hour, or for what never comes.
int dozing_server(process& p, bool for_ever) {
  const auto body = [](runtime& rt, bool waits_for_ever) -> task<int> {
    task_group group;
    group.start(doze(rt));
    if (waits_for_ever) co_await std::suspend_always();
    static_cast<void>(co_await rt.sleep(1h));
    co_return 0;
  };
  return p.run([&](runtime& rt) { return body(rt, for_ever); });
}

}  // namespace

THREADED_TEST_CASE("a server may be killed while a task of a group blocks its thread") {
  for (const bool for_ever : {false, true}) {
    sim::explore({.runs = 100}, [for_ever](sim::world& world) {
      const auto alice = world.user("alice");
      sim::hosted& server =
          world.process("server", alice, [for_ever](process& p) { return dozing_server(p, for_ever); },
                        {.background = true});
      world.process("killer", alice, [&](process& p) {
        p.sleep(std::chrono::microseconds(500) * world.choose(8));
        server.kill();
        return 0;
      });
    });
  }
}

THREADED_TEST_CASE("a run may fail at any moment of a kill and a restart") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto restarting = [](sim::world& world) {
      const auto alice = world.user("alice");
      sim::hosted& server = world.process("server", alice, echo_server, {.background = true});
      world.process("supervisor", alice, [&server](process&) {
        server.kill();
        server.restart();
        return 0;
      });
      world.process("failing", alice, [](process& p) {
        p.sleep(0ns);
        return 1;
      });
    };
    const auto choices = sim::random_choices(seed);
    sim::world world;
    world.answer_with(choices.get());
    restarting(world);
    CHECK(world.run() == sim::run_end::failed);
    world.answer_with(nullptr);
  }
}

THREADED_TEST_CASE("a run that fails while outside has let others go on is over for outside, too") {
  struct others_once final : sim::answerer {
    std::uint32_t answer(std::uint32_t, sim::choice what) override {
      return what == sim::choice::preempt && !std::exchange(done, true) ? 1 : 0;
    }
    bool done = false;
  } others;
  sim::world world;
  const auto alice = world.user("alice");
  const auto outside = world.make_process("outside", alice);
  const auto loop = outside->make_system({});
  REQUIRE(loop);
  world.process("failing", alice, [](process&) { return 1; });
  world.answer_with(&others);
  CHECK((*loop)->turn((*loop)->now()) == backend::turn_result::timed_out);  // meanwhile it has failed
  CHECK_THAT(world.failure(), Catch::Contains("returned 1"));
  CHECK((*loop)->turn(never) == backend::turn_result::stalled);
  CHECK(world.run() == sim::run_end::failed);
  world.answer_with(nullptr);
}

THREADED_TEST_CASE("programs begin when the scenario has returned") {
  bool returned = false;
  sim::explore({.runs = 100}, [&](sim::world& world) {
    returned = false;
    const auto alice = world.user("alice");
    for (const char* name : {"one", "two", "three"})
      world.process(name, alice, [&](process&) { return returned ? 0 : 1; });
    returned = true;
  });
}

THREADED_TEST_CASE("a thread whose accept waits for an instance leaves when its process is killed") {
  sim::explore({.runs = 100, .most_steps = 5000}, [](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& server = world.process("server", alice,
                                        [](process& p) {
                                          auto served = p.bind("one", {.max_instances = 1});
                                          if (!served) return p.fail(served.error());
                                          const auto serve = [&](thread&) {
                                            auto door = blocking::listen(p, *served);
                                            if (!door) return p.fail(door.error());
                                            const auto client = door->accept();
                                            p.sleep(1h);
                                            return client ? 0 : 1;
                                          };
                                          p.start_thread("one", serve);
                                          p.start_thread("two", serve);
                                          return p.join();
                                        },
                                        {.background = true});
    world.process("client", alice, [&server](process& p) {
      const auto connected = blocking::connect(p, "one", {.wait_for_server = true});
      server.kill();
      return connected ? 0 : 1;
    });
  });
}

}  // namespace tp::programs
