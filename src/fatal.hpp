// The end of the program for a mistake in how it uses twinpipe.
#pragma once

#include <string_view>

namespace tp::detail {

/// Writes "twinpipe: <what>" to standard error and aborts. Only for errors in the program, never for what the
/// world does.
[[noreturn, gnu::cold]] void fatal(std::string_view what) noexcept;

}  // namespace tp::detail
