// One run of a scenario, from an empty world to the verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "twinpipe/sim/explore.hpp"

namespace tp::sim {

struct one_run {
  /// `kept_events`: a power of two. `why` is empty if nothing failed.
  one_run(const scenario& what, answerer& answers, std::uint64_t most_steps, std::size_t kept_events);
  ~one_run();

  [[nodiscard]] bool failed() const noexcept { return !why.empty(); }
  /// The number of the first event in which the two differ, and both as text; empty if none of those kept
  /// does.
  [[nodiscard]] std::string difference(const one_run& other) const;
  [[nodiscard]] std::string trace(std::size_t most) const;

  std::string why;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;

 private:
  void make(const scenario& what, std::uint64_t most_steps);
  void add_lock_cycle();

  sim::world world_;
};

}  // namespace tp::sim
