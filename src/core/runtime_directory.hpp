// What may stand in the option runtime_directory, the same on every system.
#pragma once

#include <string_view>

namespace tp::detail {

/// Nothing, or an absolute path. A relative one would mean another place after each chdir, and a system cuts
/// a path at its first NUL.
[[nodiscard]] inline bool is_runtime_directory(std::string_view path) noexcept {
  if (path.find('\0') != std::string_view::npos) return false;
  const bool has_drive = path.size() > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\');
  return path.empty() || path.front() == '/' || path.front() == '\\' || has_drive;
}

}  // namespace tp::detail
