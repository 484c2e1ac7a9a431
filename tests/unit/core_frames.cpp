// Frames taken apart and put together, for the tests of the core.
#include "core_frames.hpp"

#include <algorithm>

namespace tp::test {

taken_apart take_apart(std::span<const std::byte> bytes) {
  constexpr std::size_t header = 8;
  taken_apart made;
  while (bytes.size() >= header) {
    std::size_t length = 0;
    for (std::size_t i = 4; i-- > 0;) length = length << 8 | std::to_integer<std::size_t>(bytes[i]);
    if (bytes.size() < header + length) break;
    const auto payload = bytes.subspan(header, length);
    made.frames.push_back({std::to_integer<std::uint8_t>(bytes[4]), std::to_integer<std::uint8_t>(bytes[5]),
                           byte_vector(payload.begin(), payload.end())});
    bytes = bytes.subspan(header + length);
  }
  made.left_over = bytes.size();
  return made;
}

std::vector<byte_vector> whole_messages(std::span<const std::byte> bytes) {
  std::vector<byte_vector> made;
  byte_vector message;
  for (const plain_frame& each : take_apart(bytes).frames) {
    if (each.type == 7) message.clear();
    if (each.type != 0) continue;
    append(message, each.payload);
    if (each.flags == 0) made.push_back(std::exchange(message, {}));
  }
  return made;
}

byte_vector message_frames(std::span<const std::byte> payload, std::size_t fragment) {
  byte_vector made;
  while (payload.size() > fragment) {
    append(made, frame(0, payload.first(fragment), 1));
    payload = payload.subspan(fragment);
  }
  append(made, frame(0, payload));
  return made;
}

byte_vector token_frame(wire::frame_type type, std::uint64_t token) {
  byte_vector number;
  for (unsigned i = 0; i < 8; ++i) number.push_back(static_cast<std::byte>(token >> (8 * i)));
  return frame(static_cast<std::uint8_t>(type), number);
}

byte_vector close_frame(std::uint16_t code) {
  const byte_vector number{static_cast<std::byte>(code), static_cast<std::byte>(code >> 8)};
  return frame(static_cast<std::uint8_t>(wire::frame_type::close), number);
}

byte_vector pattern(std::size_t size, std::uint64_t seed) {
  generator random(seed);
  byte_vector made(size);
  std::ranges::generate(made, [&] { return random.byte(); });
  return made;
}

}  // namespace tp::test
