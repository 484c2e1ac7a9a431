// errno in the words of the seam.
#pragma once

#include <string>

#include "twinpipe/backend/op.hpp"
#include "twinpipe/error.hpp"

namespace tp::platform {

/// The one translation of errno into errc.
[[nodiscard]] errc to_errc(int number) noexcept;

[[nodiscard]] inline backend::status to_status(int number) noexcept {
  return {to_errc(number), number};
}

/// An error from errno, its subject the given text.
[[nodiscard]] std::unexpected<error> fail_with(operation what, int number, std::string subject);

/// The same with a code chosen by the caller, who knows what the number means at that call.
[[nodiscard]] std::unexpected<error> fail_with(errc code, operation what, int number, std::string subject);

/// strerror() for any thread.
[[nodiscard]] std::string describe(int number);

}  // namespace tp::platform
