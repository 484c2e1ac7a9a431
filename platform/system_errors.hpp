// The system's numbers, and libuv's, in the words of the seam: one table for each system, in errors_posix.cpp
// or windows/errors.cpp.
#pragma once

#include <string>
#include <utility>

#include "twinpipe/backend/op.hpp"
#include "twinpipe/error.hpp"

namespace tp::platform {

/// The one translation of the system's numbers into errc: of errno on Unix, of GetLastError() on Windows.
[[nodiscard]] errc to_errc(int number) noexcept;

[[nodiscard]] inline backend::status to_status(int number) noexcept {
  return {to_errc(number), number};
}

/// A negative number of libuv: on Unix an errno, on Windows a name for a cause that libuv hasn't kept.
[[nodiscard]] backend::status status_of_uv(int code) noexcept;

/// An error whose subject is the given text, with a code chosen by the caller, who knows what the number
/// means at that call.
[[nodiscard]] inline std::unexpected<error> fail_with(errc code, operation what, int number,
                                                      std::string subject) {
  return fail(code, what, number, make_text(std::move(subject)));
}

/// The same with the code that the table gives.
[[nodiscard]] inline std::unexpected<error> fail_with(operation what, int number, std::string subject) {
  return fail_with(to_errc(number), what, number, std::move(subject));
}

}  // namespace tp::platform
