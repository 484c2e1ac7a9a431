// Numbers as they stand on the wire: little-endian, at any alignment, whatever the machine's own order.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tp::wire {

/// The number whose first byte is bytes[at]; a span that ends inside it counts the missing high bytes as
/// zero.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load(std::span<const std::byte> bytes, std::size_t at) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T) && at + i < bytes.size(); ++i) {
    value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
  }
  return static_cast<T>(value);
}

template <std::unsigned_integral T>
constexpr void store(std::span<std::byte> bytes, std::size_t at, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[at + i] = static_cast<std::byte>(std::uint64_t{value} >> (8 * i));
  }
}

}  // namespace tp::wire
