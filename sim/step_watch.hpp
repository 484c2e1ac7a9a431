// Who makes the steps of a run that doesn't end, and who makes none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler.hpp"

namespace tp::sim {

/// Looks at the last steps before the bound, one by one. No other step of any run costs more for it.
class step_watch {
 public:
  /// From the next step on. `steps`: there were so many.
  step_watch(const world::state& world, std::uint64_t steps);
  /// The thread makes one.
  void count(const thread& who) {
    if (who.number >= made_.size()) made_.resize(who.number + 1);
    ++made_[who.number];
  }
  /// When the bound is passed: what is wrong, in lines.
  [[nodiscard]] std::string report() const;

 private:
  /// What is there to show for steps.
  struct progress {
    explicit progress(const world::state& world);
    time_point now;
    std::uint64_t bytes = 0;  ///< that readers got, of connections that are open
    std::uint32_t handles, threads;
    [[nodiscard]] bool operator==(const progress&) const = default;
  };
  [[nodiscard]] std::string describe_progress(std::uint64_t watched) const;
  [[nodiscard]] std::string describe_threads(std::uint64_t watched) const;

  const world::state& world_;
  const std::uint64_t before_;
  const progress begun_with_;
  std::vector<std::uint64_t> made_;  ///< by the thread's number; 0: outside
};

}  // namespace tp::sim
