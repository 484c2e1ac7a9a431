// The committed list of what may be skipped.
#pragma once

#include <string>
#include <string_view>

namespace tp::conformance {

/// What is wrong with skips.txt: its first line whose skip can't happen; empty if nothing.
[[nodiscard]] std::string wrong_with_skips();
/// A line of skips.txt.
[[nodiscard]] bool skip_is_allowed(std::string_view twin, std::string_view which,
                                   std::string_view capability);

}  // namespace tp::conformance
