// A run of a world with random choices, and the CPU time it took.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "twinpipe/sim/explore.hpp"

namespace bench {

using seconds = std::chrono::duration<double>;

[[nodiscard]] inline seconds cpu_time() {
  return seconds(static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
}

[[noreturn]] inline void give_up(const char* why) {
  std::fprintf(stderr, "twinpipe_sim_bench: %s\n", why);
  std::exit(1);
}

/// `runs` runs of the scenario, by seeds.
template <class Scenario>
[[nodiscard]] seconds timed(const Scenario& what, std::uint64_t runs = 1) {
  const seconds before = cpu_time();
  tp::sim::explore({.runs = runs, .most_steps = UINT64_MAX}, what);
  return cpu_time() - before;
}

}  // namespace bench
