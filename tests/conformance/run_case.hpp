// One run of a conformance case, for those that run it again and again.
#pragma once

#include <string>
#include <vector>

#include "conformance/case.hpp"
#include "conformance/twin.hpp"
#include "support/seam_ledger.hpp"

namespace tp::conformance {

/// What one run came to.
struct outcome {
  std::vector<std::string> failures;  ///< of expectations
  std::string breaches;               ///< of the seam's contract, and what was left over
  bool hung = false;
};

[[nodiscard]] outcome run_once(const conformance_case& which, twin& place, test::ledger& book,
                               bool under_faults);

/// True if the twin lacks something, which must be allowed.
[[nodiscard]] bool skipped(const conformance_case& which);

}  // namespace tp::conformance
