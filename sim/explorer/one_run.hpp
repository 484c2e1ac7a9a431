// One run of a scenario, from an empty world to the verdict.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "guard.hpp"
#include "twinpipe/sim/explore.hpp"

namespace tp::sim {

struct one_run {
  /// `kept_events`: a power of two. `why` is empty if nothing failed.
  one_run(const scenario& what, answerer& answers, std::uint64_t most_steps, std::size_t kept_events);
  ~one_run();

  [[nodiscard]] bool failed() const noexcept { return !why.empty(); }
  /// The number of the first event in which the two differ, and both as text; of those that both have kept.
  [[nodiscard]] std::string difference(const one_run& other) const;
  [[nodiscard]] std::string trace(std::size_t most) const;

  std::string why;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t events = 0;
  bool forced = false;  ///< some switch was no choice, see scheduler::forced

 private:
  void make(const scenario& what, std::uint64_t most_steps);
  void add_lock_cycle();

  /// From before the scenario until the world has ended.
  class looked_after {
   public:
    looked_after() = default;
    looked_after(const looked_after&) = delete;
    looked_after& operator=(const looked_after&) = delete;
    ~looked_after();
    void begin(const std::shared_ptr<world::state>& what);

   private:
    guard* by_ = nullptr;
    std::shared_ptr<const world::state> what_;
  };

  looked_after looked_after_;  // longer than the world
  sim::world world_;
};

}  // namespace tp::sim
