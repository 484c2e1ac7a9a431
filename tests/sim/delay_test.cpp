// Delayed acts: nothing happens before its time, whoever asks, and however often.
#include <catch2/catch.hpp>
#include <map>
#include <stop_token>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;
using test::duplex;

namespace {

const auto slow = sim::latency(10s, 10s);

int send_first(process& p) {
  auto served = p.bind("line");
  if (!served) return 1;
  auto door = blocking::listen(p, *served);
  if (!door) return 1;
  auto client = door->accept();
  if (!client || !client->send("data")) return 1;
  buffer into;
  while (true) {
    const auto got = client->receive(into);
    if (!got || got->end) return 0;
  }
}

/// Runs a client for whom data has come. From now on the rule is asked about what it does.
void with_client(const sim::fault_rule& rule,
                 const std::function<void(process&, blocking::connection&)>& client) {
  sim::world world;
  const auto alice = world.user("alice");
  bool asked = false;
  world.add_faults(
      [&](const sim::occasion& at) { return asked && at.process == "client" ? rule(at) : std::nullopt; });
  world.process("server", alice, send_first, {.background = true});
  world.process("client", alice, [&](process& p) {
    auto server = blocking::connect(p, "line", {.wait_for_server = true}, {.within = 1min});
    if (!server) return 1;
    p.sleep(1s);
    asked = true;
    client(p, *server);
    asked = false;
    return 0;
  });
  CHECK(world.run() == sim::run_end::finished);
}

/// The same in coroutines.
void with_task(const sim::fault_rule& rule, const std::function<task<int>(runtime&, connection&)>& client) {
  sim::world world;
  const auto alice = world.user("alice");
  bool asked = false;
  world.add_faults(
      [&](const sim::occasion& at) { return asked && at.process == "client" ? rule(at) : std::nullopt; });
  const auto main = [&](runtime& rt) -> task<int> {
    auto server = co_await rt.connect("line", {.wait_for_server = true}).within(1min);
    if (!server) co_return 1;
    static_cast<void>(co_await rt.sleep(1s));
    asked = true;
    const int failed = co_await client(rt, *server);
    asked = false;
    co_return failed;
  };
  world.process("server", alice, send_first, {.background = true});
  world.process("client", alice, [&](process& p) { return p.run(main); });
  CHECK(world.run() == sim::run_end::finished);
}

/// A code, and after how long it came.
using outcome = std::pair<errc, duration>;
template <class Result>
errc code_of(const Result& r) {
  return r ? errc::none : r.error().code();
}
outcome timed(process& p, const auto& call) {
  const time_point begun = p.now();
  const errc code = code_of(call());
  return {code, p.now() - begun};
}

}  // namespace

THREADED_TEST_CASE("a delayed send that blocks takes its time, and times out before it") {
  with_client(slow, [](process& p, blocking::connection& c) {
    CHECK(timed(p, [&] { return c.send("x"); }) == outcome(errc::none, 10s));
    CHECK(timed(p, [&] { return c.send("x", {.within = 1s}); }) == outcome(errc::timed_out, 1s));
    CHECK(timed(p, [&] { return c.send("x", {.within = 1min}); }) == outcome(errc::none, 9s));
    CHECK(timed(p, [&] { return c.send(std::string(50'000, 'x')); }) == outcome(errc::none, 10s));
  });
}

THREADED_TEST_CASE("a delayed receive that blocks takes its time, though the data is there") {
  with_client(slow, [](process& p, blocking::connection& c) {
    buffer into;
    CHECK(timed(p, [&] { return c.receive(into, {.within = 1s}); }) == outcome(errc::timed_out, 1s));
    CHECK(timed(p, [&] { return c.receive(into, {.within = 1min}); }) == outcome(errc::none, 9s));
    CHECK(into.text() == "data");
  });
}

THREADED_TEST_CASE("a delayed receive that can be stopped takes its time as well") {
  const std::stop_source never_asked;
  for (const duration within : {1s, 60s}) {
    with_client(slow, [&](process& p, blocking::connection& c) {
      buffer into;
      const blocking::limits limits{.within = within, .unless = never_asked.get_token()};
      const outcome expected = within < 10s ? outcome(errc::timed_out, 1s) : outcome(errc::none, 10s);
      CHECK(timed(p, [&] { return c.receive(into, limits); }) == expected);
    });
  }
}

THREADED_TEST_CASE("a stop ends a delayed receive or send that blocks") {
  for (const bool sends : {false, true}) {
    with_client(slow, [&](process& p, blocking::connection& c) {
      std::stop_source stop;
      p.start_thread("stopper", [&](thread&) {
        p.sleep(2s);
        stop.request_stop();
        return 0;
      });
      buffer into;
      const blocking::limits limits{.unless = stop.get_token()};
      const auto call = [&] {
        return sends ? code_of(c.send("x", limits)) : code_of(c.receive(into, limits));
      };
      const time_point begun = p.now();
      CHECK(call() == errc::cancelled);
      CHECK(p.now() - begun == 2s);
      p.join();
    });
  }
}

THREADED_TEST_CASE("a delayed drain that blocks takes its time, and times out before it") {
  const auto slow_drain = [](const sim::occasion& at) {
    return at.what == sim::act::drain ? slow(at) : std::nullopt;
  };
  with_client(slow_drain, [](process& p, blocking::connection& c) {
    REQUIRE(c.send("x"));
    CHECK(timed(p, [&] { return c.drain({.within = 1s}); }) == outcome(errc::timed_out, 1s));
    const auto [code, took] = timed(p, [&] { return c.drain({.within = 1min}); });
    CHECK(code == errc::none);
    CHECK((took >= 9s && took < 10s));  // it is asked for now and then
  });
}

THREADED_TEST_CASE("a close ends a delayed call that blocks at once") {
  with_client(sim::latency(1h, 1h), [](process& p, blocking::connection& c) {
    p.start_thread("closer", [&](thread&) {
      p.sleep(2s);
      c.abort();
      return 0;
    });
    buffer into;
    CHECK(timed(p, [&] { return c.receive(into); }) == outcome(errc::closed, 2s));
    p.join();
  });
}

THREADED_TEST_CASE("a delayed failure of a call that blocks comes when it is due") {
  const auto fails_late = [](const sim::occasion&) {
    return std::optional(sim::fault{.delay = 10s, .fails = errc::io_error});
  };
  const std::stop_source never_asked;
  for (const bool stoppable : {false, true}) {
    with_client(fails_late, [&](process& p, blocking::connection& c) {
      buffer into;
      blocking::limits limits{.within = 1s};
      if (stoppable) limits.unless = never_asked.get_token();
      CHECK(timed(p, [&] { return c.receive(into, limits); }) == outcome(errc::timed_out, 1s));
      limits.within = 1min;
      CHECK(timed(p, [&] { return c.receive(into, limits); }) == outcome(errc::io_error, 9s));
    });
  }
}

THREADED_TEST_CASE("a call that blocks is one act, however often it has to ask") {
  std::map<sim::act, int> acts;
  const auto counts = [&](const sim::occasion& at) {
    ++acts[at.what];
    return std::optional<sim::fault>();
  };
  const std::stop_source never_asked;
  with_client(counts, [&](process&, blocking::connection& c) {
    buffer into;
    REQUIRE(c.receive(into));
    REQUIRE(c.send(std::string(1'000'000, 'x'), {.unless = never_asked.get_token()}));
    REQUIRE(code_of(c.receive(into, {.within = 1s})) == errc::timed_out);
    REQUIRE(code_of(c.receive(into, {.within = 1s, .unless = never_asked.get_token()})) == errc::timed_out);
    REQUIRE(c.drain());
  });
  CHECK(acts[sim::act::read] == 2);
  CHECK(acts[sim::act::write] == 1);
  CHECK(acts[sim::act::drain] == 1);
}

THREADED_TEST_CASE("delayed operations of coroutines end at their deadline, or when they are due") {
  with_task(slow, [](runtime& rt, connection& c) -> task<int> {
    buffer into;
    const time_point begun = rt.owner().now();
    const auto passed = [&, begun] { return rt.owner().now() - begun; };
    auto none = co_await c.receive(into).within(1s);
    CHECK(code_of(none) == errc::timed_out);
    CHECK(passed() == 1s);
    auto got = co_await c.receive(into).within(1min);
    CHECK(code_of(got) == errc::none);
    CHECK((passed() >= 10s && passed() <= 11s));
    auto unsent = co_await c.send("x").within(1s);
    CHECK(code_of(unsent) == errc::timed_out);
    const time_point then = rt.owner().now();
    auto sent = co_await c.send("x").within(1min);
    CHECK(code_of(sent) == errc::none);
    CHECK((rt.owner().now() - then >= 9s && rt.owner().now() - then <= 20s));
    auto undrained = co_await c.drain().within(1s);
    CHECK(code_of(undrained) == errc::timed_out);
    auto drained = co_await c.drain().within(1min);
    CHECK(code_of(drained) == errc::none);
    co_return 0;
  });
}

THREADED_TEST_CASE("a connect that would fail late ends at its deadline or by its cancel before") {
  for (const bool stopped : {false, true}) {
    const auto fails_late = [](const sim::occasion& at) {
      const bool here = at.what == sim::act::connect;
      return here ? std::optional(sim::fault{.delay = 1h, .fails = errc::busy}) : std::nullopt;
    };
    with_task(fails_late, [&](runtime& rt, connection&) -> task<int> {
      std::stop_source stop;
      task_group others;
      const auto ask_for_stop = [](runtime& at, std::stop_source& of, bool asks) -> task<void> {
        static_cast<void>(co_await at.sleep(500ms));
        if (asks) of.request_stop();
      };
      others.start(ask_for_stop(rt, stop, stopped));
      const time_point begun = rt.owner().now();
      auto second = co_await rt.connect("line").within(1s).unless(stop.get_token());
      CHECK(code_of(second) == (stopped ? errc::cancelled : errc::timed_out));
      CHECK(rt.owner().now() - begun == (stopped ? 500ms : 1s));
      static_cast<void>(co_await others.join());
      co_return 0;
    });
  }
}

THREADED_TEST_CASE("a handshake whose hello is read too late fails, though it has come") {
  sim::world world;
  const auto alice = world.user("alice");
  world.add_faults([](const sim::occasion& at) {
    return at.what == sim::act::read && at.process == "server" ? slow(at) : std::nullopt;
  });
  errc server_got = errc::none;
  world.process("server", alice, [&](process& p) {
    auto served = p.bind("line", {.handshake_timeout = 5s});
    auto door = blocking::listen(p, served.value());
    server_got = code_of(door->accept({.within = 1min}));
    return 0;
  });
  world.process("client", alice, [&](process& p) {
    auto server = blocking::connect(p, "line", {.wait_for_server = true}, {.within = 30s});
    CHECK_FALSE(server);
    return 0;
  });
  CHECK(world.run() == sim::run_end::finished);
  CHECK(server_got == errc::timed_out);
}

THREADED_TEST_CASE("a delayed connect that blocks takes its time, and times out before it") {
  for (const errc fails : {errc::none, errc::busy}) {
    const auto slow_connect = [=](const sim::occasion& at) {
      const bool here = at.what == sim::act::connect;
      return here ? std::optional(sim::fault{.delay = 10s, .fails = fails}) : std::nullopt;
    };
    with_client(slow_connect, [](process& p, blocking::connection&) {
      const connect_options raw{.profile = profile::raw};
      CHECK(timed(p, [&] { return blocking::connect(p, "line", raw, {.within = 1s}); }) ==
            outcome(errc::timed_out, 1s));
    });
  }
  const auto slow_connect = [](const sim::occasion& at) {
    return at.what == sim::act::connect ? slow(at) : std::nullopt;
  };
  with_client(slow_connect, [](process& p, blocking::connection&) {
    const connect_options raw{.profile = profile::raw};
    CHECK(timed(p, [&] { return blocking::connect(p, "line", raw, {.within = 1min}); }) ==
          outcome(errc::none, 10s));
  });
}

TEST_CASE("a delayed read, write or drain of the seam isn't tried at its deadline") {
  duplex pair;
  duplex::put(*pair.near, "bytes");
  pair.world.add_faults(slow);
  test::reading read;
  test::writing write("more");
  test::probe<backend::drain_op> drain;
  for (backend::op* each : {static_cast<backend::op*>(&read), static_cast<backend::op*>(&write),
                            static_cast<backend::op*>(&drain)})
    each->deadline = pair.server.system->now() + 5s;
  pair.far->read(read);
  pair.far->write(write);
  pair.far->drain(drain);
  while (read.completions + write.completions + drain.completions < 3) pair.server.system->turn(never);
  CHECK(read.code() == errc::timed_out);
  CHECK(write.code() == errc::timed_out);
  CHECK(drain.code() == errc::timed_out);
  CHECK(read.n + write.n == 0);
  CHECK(pair.world.now() - time_point{} < 6s);
}

TEST_CASE("a delayed failure of the seam comes when it is due, and a cancel before it wins") {
  for (const bool cancels : {false, true}) {
    duplex pair;
    pair.world.add_faults([](const sim::occasion&) {
      return std::optional(sim::fault{.delay = 10s, .fails = errc::io_error});
    });
    test::reading read;
    pair.far->read(read);
    if (cancels) pair.far->cancel(read);
    pair.server.system->turn(never);
    REQUIRE(read.completions == 1);
    CHECK(read.code() == (cancels ? errc::cancelled : errc::io_error));
  }
}

TEST_CASE("faults that an act can't have are refused") {
  using sim::act;
  CHECK_THROWS_WITH(
      sim::sometimes(act::connect, 2, {.resets = true}),
      "act::connect has no connection that could be reset: only read, write, shutdown and drain "
      "have one");
  CHECK_THROWS_WITH(sim::at_act(act::bind, "server", 1, {.delay = 1s}),
                    "act::bind cannot be delayed, for it never waits: only connect, accept, read, write, "
                    "shutdown and drain do");
  duplex pair;
  pair.world.add_faults([](const sim::occasion&) { return std::optional(sim::fault{.resets = true}); });
  test::accepting accept;
  CHECK(test::last_words([&] { pair.acceptor->accept(accept); }) ==
        "twinpipe: a rule for faults: act::accept has no connection that could be reset: only read, write, "
        "shutdown and drain have one\n");
}

}  // namespace tp::programs
