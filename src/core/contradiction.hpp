// Options that make no sense, alone or together: the same rules for a server and a client, on every system.
#pragma once

#include "twinpipe/name.hpp"
#include "twinpipe/options.hpp"

namespace tp::core {

/// Why these options can't be meant, in words for the error; null if they can. `kind` is the name's: the
/// profile must be the one that the name leads to already.
[[nodiscard]] const char* contradiction(const endpoint_options& options, name_kind kind) noexcept;
[[nodiscard]] const char* contradiction(const connect_options& options, name_kind kind) noexcept;

}  // namespace tp::core
