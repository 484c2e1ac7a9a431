// What becomes of an error that nobody was told, and of what nobody has ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "twinpipe/error.hpp"

namespace tp::detail {

// Null, as in a real program: nothing is done. The simulator fails a run in which something is lost.

/// Called for the error of a task whose group is destroyed without a join.
inline constinit std::atomic<void (*)(const error&)> when_error_is_lost = nullptr;
/// Called for each task that is made (1) and that is gone (-1), on its thread.
inline constinit std::atomic<void (*)(int) noexcept> when_tasks_change = nullptr;
/// Called at the end of an endpoint of which so many instances are taken, though nobody has them.
inline constinit std::atomic<void (*)(std::string_view endpoint, std::size_t taken) noexcept>
    when_instances_are_lost = nullptr;

}  // namespace tp::detail
