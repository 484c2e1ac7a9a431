// Where a name is on Windows, and the way there.
#pragma once

#include "twinpipe/backend/names.hpp"
#include "windows/handle.hpp"

namespace tp::platform {

/// `\\.\pipe\...`. Plain names: `twinpipe.SID.x` of the own user or `twinpipe.system.x`. invalid_name for
/// names of Unix, not_supported for other hosts, name_too_long beyond 256 characters.
[[nodiscard]] result<std::string> location_of(const endpoint_name& name, name_scope scope);

/// The client's end of a pipe: the user's own places, then the system's. The server gets no more than `level`
/// of us.
[[nodiscard]] result<unique_handle> open_pipe(const endpoint_name& name, impersonation_level level);

[[nodiscard]] std::unique_ptr<backend::names> make_names();

}  // namespace tp::platform
