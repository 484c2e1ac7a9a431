// The limits of a blocking call, set on the operation that it makes.
#pragma once

#include <algorithm>

#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

/// As one point in time: what is tried twice has no more time for it.
template <class Clock>
[[nodiscard]] time_point deadline_of(const blocking::limits& how, const Clock& clock) {
  if (how.within == duration::max()) return how.until;
  return std::min(how.until, deadline_after(clock.now(), how.within));
}

inline void limit(operation_base& op, time_point until, const std::stop_token& unless) {
  op.expire_at(until);
  if (unless.stop_possible()) op.stop_with(unless);
}

}  // namespace tp::detail
