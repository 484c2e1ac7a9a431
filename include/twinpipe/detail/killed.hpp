// How a thread of a simulated process ends when that was killed. Real processes never get here.
#pragma once

#include "twinpipe/error.hpp"

namespace tp::detail {

/// Thrown by the calls that wait, so that the thread leaves its frames as fast as it can; the world catches
/// it. It is no std::exception: nobody should hold it up.
class process_killed {
 public:
  process_killed() noexcept;
  process_killed(const process_killed&) noexcept;
  process_killed& operator=(const process_killed&) = delete;
  ~process_killed();
  /// Is one on its way, on any simulated thread that the calling thread of the program runs?
  [[nodiscard]] static bool in_flight() noexcept;
};

/// Throws it, unless another exception is passing through: then the thread leaves already.
void leave_killed();

/// What a call of a killed process came to is nothing to go on with.
template <class Result>
void leave_if_killed(const Result& outcome) {
  if (!outcome && outcome.error().code() == errc::process_killed) [[unlikely]]
    leave_killed();
}

template <class Result>
[[nodiscard]] Result unless_killed(Result outcome) {
  leave_if_killed(outcome);
  return outcome;
}

}  // namespace tp::detail
