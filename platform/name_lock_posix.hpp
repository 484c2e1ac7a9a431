// The lock that makes one server the owner of a name.
#pragma once

#include <string>

#include "directory_posix.hpp"
#include "twinpipe/error.hpp"

namespace tp::platform {

/// Takes `file`.lock in the directory for as long as the descriptor lives. The lock file is never removed: a
/// second server could hold a lock on the removed one while a third makes and locks a new one. name_in_use
/// names the holder.
[[nodiscard]] result<descriptor> take_name_lock(const directory_handle& directory, const std::string& file);

}  // namespace tp::platform
