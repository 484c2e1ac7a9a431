// Causes of Windows and of libuv in the words of the seam.
#pragma once

#include <windows.h>

#include <string>

#include "errors_posix.hpp"

namespace tp::platform {

/// A code of GetLastError().
[[nodiscard]] inline backend::status status_of(DWORD cause) noexcept {
  return to_status(static_cast<int>(cause));
}

/// A negative number of libuv: a name for a cause of Windows that libuv hasn't kept.
[[nodiscard]] backend::status status_of_uv(int code) noexcept;

/// The error of GetLastError(), about `subject`.
[[nodiscard]] std::unexpected<error> fail_last(operation what, std::string subject);

}  // namespace tp::platform
