// The committed list of what may be skipped.
#pragma once

#include <string_view>

namespace tp::conformance {

/// A line of skips.txt.
[[nodiscard]] bool skip_is_allowed(std::string_view twin, std::string_view which, std::string_view capability);

}  // namespace tp::conformance
