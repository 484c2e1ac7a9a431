// Time as twinpipe sees it: durations of std::chrono, and time points that only a process can read.
#pragma once

#include <chrono>
#include <cstdint>

namespace tp {

using duration = std::chrono::nanoseconds;

/// The clock behind every deadline: steady, in nanoseconds, its origin the backend's own. It has no now():
/// time is asked from a process or a runtime, because in the simulator each world has its own.
struct clock {
  using duration = tp::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;
};

using time_point = clock::time_point;

/// A deadline that never comes.
inline constexpr time_point never = time_point::max();

/// `now + d` without overflow: a duration too large to add, such as duration::max(), means never.
[[nodiscard]] constexpr time_point deadline_after(time_point now, duration d) noexcept {
  return d >= never - now ? never : now + d;
}

}  // namespace tp
