// Hashes of explorations, beside those that were stored when this was written: hashes.txt.
#pragma once

#include "twinpipe/sim/explore.hpp"

namespace tp::determinism {

/// Explores twice, the second time with other memory behind it and under another locale, and compares both
/// with what is stored for the running test case. With TWINPIPE_STORE_HASHES in the environment it prints the
/// line that has to be stored, and compares the two only.
void explore_as_stored(const sim::explore_options& options, const sim::scenario& what);

}  // namespace tp::determinism
