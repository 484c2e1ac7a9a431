// Why something failed and what to do about it: the words of error::message().
#pragma once

#include <string_view>

#include "twinpipe/error.hpp"

namespace tp::detail {

struct explanation {
  std::string_view why;
  std::string_view remedy;
};

/// Of the first line of the table that fits all three.
[[nodiscard]] explanation explain(errc code, operation op, circumstance what) noexcept;

}  // namespace tp::detail
