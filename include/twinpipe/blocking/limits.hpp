// How long a blocking call may take, and what may end it.
#pragma once

#include <stop_token>

#include "twinpipe/time.hpp"

namespace tp::blocking {

/// What `.within(…)`, `.until(…)` and `.unless(…)` are to an awaited operation; each may be left out:
/// `c.receive(request, {.within = 5s, .unless = stop})`.
struct limits {
  duration within = duration::max();  ///< of the call; ends with timed_out
  time_point until = never;           ///< of the process's clock; the earlier of the two counts
  std::stop_token unless = {};        ///< a stop, from any thread, ends the call with cancelled
};

}  // namespace tp::blocking
