// Random scripts: the same seed is the same script as long as both sides agree.
#pragma once

#include <cstdint>
#include <string>

#include "lockstep.hpp"

namespace tp::test::parity {

/// Runs one script; what differed, with the script up to there, or nothing.
[[nodiscard]] std::string run_script(lockstep& sides, std::uint64_t seed);

}  // namespace tp::test::parity
