// What whoever runs the tests may ask of them.
#include "support/environment.hpp"

#include <cstdlib>
#include <string_view>

namespace tp::test {

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const bool is_hex = std::string_view(text).starts_with("0x");
  return std::strtoull(text, nullptr, is_hex ? 16 : 10);
}

}  // namespace tp::test
