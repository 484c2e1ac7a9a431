// What whoever runs the tests may ask of them.
#include "support/environment.hpp"

#include <cstdlib>

namespace tp::test {

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace tp::test
