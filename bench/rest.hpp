// What a connection at rest costs in CPU time.
#pragma once

#include <cstdint>
#include <string>

#include "twinpipe/options.hpp"

namespace bench {

/// Two processes, on two cores where there are, hold a conversation long enough for a runtime that may spin
/// to begin, and then wait for each other. Prints, as JSON, a line for each: the CPU time of so many
/// milliseconds at rest, which begin a millisecond after the last byte, and the sleeps of the conversation
/// for each round trip.
int run_rest(tp::wait_strategy wait, std::uint64_t milliseconds, const std::string& path);

}  // namespace bench
