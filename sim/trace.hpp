// Events as lines for a reader.
#pragma once

#include <cstddef>
#include <string>

#include "twinpipe/sim/world.hpp"

namespace tp::sim {

/// The last of those that were kept, one line each: time, thread, what happened.
[[nodiscard]] std::string trace_of(const world::state& world, std::size_t most);

/// One event, whose number is below that of all noted; what isn't kept or has no line of its own is named
/// by its kind.
[[nodiscard]] std::string trace_line(const world::state& world, std::size_t number);

}  // namespace tp::sim
