// Causes of Windows and of libuv in the words of the seam.
#pragma once

#include <windows.h>

#include <string>

#include "system_errors.hpp"

namespace tp::platform {

/// A code of GetLastError().
[[nodiscard]] inline backend::status status_of(DWORD cause) noexcept {
  return to_status(static_cast<int>(cause));
}

/// The error of GetLastError(), about `subject`.
[[nodiscard]] std::unexpected<error> fail_last(operation what, std::string subject);

}  // namespace tp::platform
