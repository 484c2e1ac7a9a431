// Frames as the tests of the core see them: taken apart and put together by rules written down a second time,
// so that a mistake of the codec can't hide itself.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "wire_support.hpp"

namespace tp::test {

/// For loops over numbers of bytes.
using sizes = std::initializer_list<std::size_t>;

struct plain_frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  byte_vector payload;
};

/// All whole frames of the bytes, and how many bytes are left behind the last.
struct taken_apart {
  std::vector<plain_frame> frames;
  std::size_t left_over = 0;
};
[[nodiscard]] taken_apart take_apart(std::span<const std::byte> bytes);

/// The messages of which all frames are there and that weren't aborted.
[[nodiscard]] std::vector<byte_vector> whole_messages(std::span<const std::byte> bytes);

/// DATA frames of one message, cut every `fragment` bytes.
[[nodiscard]] byte_vector message_frames(std::span<const std::byte> payload, std::size_t fragment = SIZE_MAX);
/// A control frame with a u64.
[[nodiscard]] byte_vector token_frame(wire::frame_type type, std::uint64_t token);
[[nodiscard]] inline byte_vector drained(std::uint64_t token) {
  return token_frame(wire::frame_type::drained, token);
}
/// CLOSE without a reason.
[[nodiscard]] byte_vector close_frame(std::uint16_t code);

/// Bytes that tell where they come from: the same seed gives the same bytes.
[[nodiscard]] byte_vector pattern(std::size_t size, std::uint64_t seed);

}  // namespace tp::test
