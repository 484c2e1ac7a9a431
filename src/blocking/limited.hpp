// The limits of a blocking call, set on the operation that it makes.
#pragma once

#include <algorithm>

#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

inline void limit(operation_base& op, const blocking::limits& how) {
  if (how.within != duration::max()) op.expire_after(how.within);
  if (how.until < op.deadline()) op.expire_at(how.until);
  if (how.unless.stop_possible()) op.stop_with(how.unless);
}

/// The same limits with one point in time: what is tried twice has no more time for it.
template <class Clock>
[[nodiscard]] time_point deadline_of(const blocking::limits& how, const Clock& clock) {
  if (how.within == duration::max()) return how.until;
  return std::min(how.until, deadline_after(clock.now(), how.within));
}

}  // namespace tp::detail
