// The simulator's own numbers: the same on every system, unlike the standard library's distributions.
#pragma once

#include <cstdint>
#include <utility>

namespace tp::sim {

/// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) noexcept : state_(seed), next_(compute()) {}
  std::uint64_t next() noexcept { return std::exchange(next_, compute()); }
  /// Below the bound, near enough to uniform (Lemire, "Fast random integer generation in an interval", 2019,
  /// without the last correction).
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t compute() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_;
  /// Ahead of its use: the branch that a number decides is foreseen wrongly half of the time, and the sooner
  /// it is known the less was done in vain.
  std::uint64_t next_;
};

}  // namespace tp::sim
