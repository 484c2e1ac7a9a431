// Runs of a world with random choices, and the CPU time they took.
#pragma once

#include <ctime>

#include "twinpipe/sim/explore.hpp"
#include "workloads.hpp"

namespace bench {

/// What one process of the program has used, in seconds: one core's, as the program is pinned to one.
[[nodiscard]] inline double cpu_time() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// So many things happen in `runs` runs of the scenario, by seeds; how many of them in a second.
template <class Scenario>
[[nodiscard]] figure rate(double things, const Scenario& what, std::uint64_t runs = 1) {
  const double before = cpu_time();
  const auto seen = tp::sim::explore({.runs = runs, .most_steps = UINT64_MAX}, what);
  return {things / (cpu_time() - before), seen.hash};
}

}  // namespace bench
