// What whoever runs the tests may ask of them.
#pragma once

#include <cstdint>
#include <optional>

namespace tp::test {

/// The number in that variable of the environment, decimal or 0x and hexadecimal; none if it isn't set.
[[nodiscard]] std::optional<std::uint64_t> number_from(const char* variable);

}  // namespace tp::test
