// Text from parts. (g++ 12 has no std::format.)
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tp::sim {

inline void append(std::string& to, std::string_view part) {
  to += part;
}
inline void append(std::string& to, char part) {
  to += part;
}
template <std::integral Number>
void append(std::string& to, Number number) {
  to += std::to_string(number);
}

[[nodiscard]] inline std::size_t room_for(std::string_view part) {
  return part.size();
}
template <std::integral Number>
[[nodiscard]] std::size_t room_for(Number number) {
  return sizeof number == 1 ? 1 : 11;  // enough for what is shown; a longer one costs another allocation
}

/// All of them, one behind the other.
template <class... Parts>
[[nodiscard]] std::string join(const Parts&... parts) {
  std::string text;
  text.reserve((room_for(parts) + ...));
  (append(text, parts), ...);
  return text;
}

[[nodiscard]] inline std::string hex(std::uint64_t number) {
  char digits[16];
  return {digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr};
}

/// Of nanoseconds: "1.500000s".
[[nodiscard]] inline std::string in_seconds(std::chrono::nanoseconds time) {
  constexpr std::int64_t second = 1'000'000'000;
  const std::string part = std::to_string(second + time.count() % second);
  return join(time.count() / second, '.', part.substr(1, part.size() - 1 - 3), 's');
}

/// At least so long, with the fill before it or, negative, behind it.
[[nodiscard]] inline std::string padded(const std::string& text, int width, char fill = ' ') {
  const auto wanted = static_cast<std::size_t>(width < 0 ? -width : width);
  const std::size_t missing = wanted > text.size() ? wanted - text.size() : 0;
  std::string made;
  made.reserve(text.size() + missing);
  if (width >= 0) made.append(missing, fill);
  made += text;
  if (width < 0) made.append(missing, fill);
  return made;
}

}  // namespace tp::sim
