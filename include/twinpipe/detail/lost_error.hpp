// What becomes of an error that nobody was told.
#pragma once

#include <atomic>

#include "twinpipe/error.hpp"

namespace tp::detail {

/// Called for the error of a task whose group is destroyed without a join. Null: nothing is done, as in a
/// real program. The simulator makes it a failure of the run.
inline constinit std::atomic<void (*)(const error&)> when_error_is_lost = nullptr;

}  // namespace tp::detail
