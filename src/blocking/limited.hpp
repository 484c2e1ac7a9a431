// The limits of a blocking call, set on the operation that it makes.
#pragma once

#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

inline void limit(operation_base& op, const blocking::limits& how) {
  if (how.within != duration::max()) op.expire_after(how.within);
  if (how.until < op.deadline()) op.expire_at(how.until);
  if (how.unless.stop_possible()) op.stop_with(how.unless);
}

}  // namespace tp::detail
