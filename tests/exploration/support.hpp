// What the explorations of the core share: how many schedules, and a small client.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "support/sanitized.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::exploration {

using namespace std::chrono_literals;

/// Random schedules of each part that is dangerous.
inline constexpr std::uint64_t many = test::sanitized ? 500 : 10'000;

inline void explore_many(const sim::scenario& what) {
  const auto seen = sim::explore({.runs = many}, what);
  CHECK(seen.runs == many);
}

/// All schedules with at most so many preemptions; were there fewer than expected, something would no longer
/// be explored.
inline void prove(const sim::scenario& what, unsigned preemptions, std::uint64_t at_least) {
  const auto proof =
      sim::explore({.strategy = sim::strategy::exhaustive, .runs = 0, .preemptions = preemptions}, what);
  CHECK(proof.exhausted);
  CHECK(proof.runs >= at_least);
}

/// One question, one answer.
inline int ask(process& p, std::string_view name, std::string_view question) {
  auto server =
      blocking::connect(p, name, {.mode = transmission::message, .wait_for_server = true}, {.within = 1min});
  if (!server) return p.fail(server.error());
  if (auto sent = server->send(question, {.within = 1min}); !sent) return p.fail(sent.error());
  buffer answer;
  const auto got = server->receive(answer, {.within = 1min});
  if (!got) return p.fail(got.error());
  if (!got->end && answer.text() == question) return 0;
  p.log(got->end ? "no answer" : "another answer");
  return 1;
}

}  // namespace tp::exploration
