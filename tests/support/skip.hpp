// How a test case says that it can't run here.
#pragma once

#include <string>

namespace tp::test {

/// `if (!is_root()) return skip("needs root");` counts the case as skipped and lists it with the reason.
void skip(std::string reason);

/// The reason of the case that runs, which is forgotten with that; empty if it wasn't skipped.
[[nodiscard]] std::string take_skip_reason();

}  // namespace tp::test
