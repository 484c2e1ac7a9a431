// Faults: what rules can do to a world's processes.
#include <catch2/catch.hpp>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Whatever goes wrong is the client's to tell.
int answer_once(process& p) {
  auto served = p.bind("once");
  if (!served) return 0;
  auto door = blocking::listen(p, *served);
  if (!door) return 0;
  auto client = door->accept();
  if (!client) return 0;
  buffer question;
  const auto got = client->receive(question);
  if (!got || got->end) return 0;
  static_cast<void>(client->send("answer"));
  return 0;
}

/// What a client gets: the answer, "end", or the code of what went wrong.
std::string outcome_with(const sim::fault_rule& rule, time_point* ended = nullptr) {
  std::string outcome;
  sim::world world;
  const auto alice = world.user("alice");
  world.add_faults(rule);
  world.process("server", alice, answer_once, {.background = true});
  world.process("client", alice, [&](process& p) {
    const auto note = [&](const error& e) { outcome = to_string(e.code()); };
    auto server = blocking::connect(p, "once", {.wait_for_server = true}, {.within = 1min});
    if (!server) return note(server.error()), 0;
    if (auto sent = server->send("question"); !sent) return note(sent.error()), 0;
    buffer reply;
    const auto got = server->receive(reply, {.within = 1min});
    if (!got) return note(got.error()), 0;
    outcome = got->end ? "end" : reply.text();
    if (ended != nullptr) *ended = p.now();
    return 0;
  });
  CHECK(world.run() == sim::run_end::finished);
  return outcome;
}

}  // namespace

THREADED_TEST_CASE("without rules nothing fails and no time passes") {
  time_point ended;
  CHECK(outcome_with([](const sim::occasion&) { return std::nullopt; }, &ended) == "answer");
  CHECK(ended - time_point{} < 100ms);  // a client that comes too early looks again
}

THREADED_TEST_CASE("a process that is out of descriptors at one act gets no_resources there") {
  CHECK(outcome_with(sim::at_act(sim::act::connect, "client", 1, {.fails = errc::no_resources})) ==
        "no_resources");
  CHECK(outcome_with(sim::at_act(sim::act::bind, "server", 1, {.fails = errc::no_resources})) == "timed_out");
}

THREADED_TEST_CASE("a connection that is reset ends for both sides") {
  const std::string seen = outcome_with(sim::at_act(sim::act::read, "server", 2, {.resets = true}));
  CAPTURE(seen);
  CHECK((seen == "end" || seen == "connection_lost" || seen == "connection_reset" || seen == "broken_pipe"));
}

THREADED_TEST_CASE("latency makes every act take its time") {
  time_point ended;
  CHECK(outcome_with(sim::latency(10ms, 10ms), &ended) == "answer");
  CHECK(ended - time_point{} >= 40ms);  // connect, accept, two messages
}

THREADED_TEST_CASE(
    "an accept that is delayed beyond the client's patience leaves the client with its deadline") {
  const auto slow = sim::at_act(sim::act::accept, "server", 1, {.delay = 1h});
  CHECK((outcome_with(slow) == "timed_out" || outcome_with(slow) == "busy"));
}

THREADED_TEST_CASE("faults that come by chance are choices: explored, and the same again by their schedule") {
  const auto lossy = [](sim::world& world) {
    const auto alice = world.user("alice");
    world.add_faults(sim::sometimes(sim::act::write, 4, {.resets = true}));
    world.process("server", alice, answer_once, {.background = true});
    world.process("client", alice, [](process& p) {
      auto server = blocking::connect(p, "once", {.wait_for_server = true}, {.within = 1min});
      if (!server) return 0;
      if (!server->send("question")) return 1;
      return 0;
    });
  };
  CHECK_THROWS_AS(sim::explore({.runs = 200, .twice = true}, lossy), sim::exploration_failed);
}

THREADED_TEST_CASE("a paused process does nothing until it is resumed") {
  sim::world world;
  const auto alice = world.user("alice");
  int steps = 0, seen = -1;
  sim::hosted& worker = world.process("worker", alice, [&](process& p) {
    for (steps = 0; steps < 10; ++steps) p.sleep(1ms);
    return 0;
  });
  world.process("operator", alice, [&](process& p) {
    p.sleep(3ms);
    worker.pause();
    const int before = steps;
    p.sleep(1h);
    seen = steps - before;
    worker.resume();
    return 0;
  });
  CHECK(world.run() == sim::run_end::finished);
  CHECK(seen == 0);
  CHECK(steps == 10);
  CHECK(world.now() >= time_point{} + 1h);
}

}  // namespace tp::programs
