// A random script, from a seed: written while it is played, by what the simulated side has come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "duet.hpp"
#include "pairs.hpp"
#include "scene.hpp"

namespace tp::test::parity::api {

/// What a script has come to. Where a second can matter (a message that is withdrawn has so long), and a real
/// run has taken longer than that, it is played again before its word is taken.
struct script_report {
  std::string difference;  ///< empty: none
  std::string history;
  std::size_t steps = 0;
};

/// Plays the script of that seed, of the one arm or of the one that follows from it, and counts what its
/// operations came to.
script_report run_script(std::uint64_t seed, pairs& seen, const meddling& meddle = {},
                         std::optional<arm> only = {});

}  // namespace tp::test::parity::api
