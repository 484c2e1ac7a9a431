// errno in the words of the seam.
#pragma once

#include <string>

#include "system_errors.hpp"

namespace tp::platform {

/// strerror() for any thread.
[[nodiscard]] std::string describe(int number);

}  // namespace tp::platform
