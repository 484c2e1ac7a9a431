// What several files of conformance cases share: data that shows where it was cut, the modes, and frames by
// hand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/fixture.hpp"

namespace tp::conformance {

/// Bytes in numbered blocks, so that one lost, doubled or moved shows. A copied block is far faster than
/// computed bytes under a sanitizer.
[[nodiscard]] inline std::string pattern(std::size_t size, unsigned seed = 1) {
  constexpr std::size_t block = 1021;  // a prime: what is lost or moved doesn't look like another block
  std::string first(std::min(size, block), '\0');
  std::uint32_t state = seed * 2654435761u;
  for (char& each : first) {
    state = state * 1664525u + 1013904223u;
    each = static_cast<char>(state >> 24);
  }
  std::string made;
  made.reserve(size);
  for (std::uint32_t number = 0; made.size() < size; ++number) {
    const std::size_t begins = made.size();
    made.append(first, 0, size - begins);
    if (number > 0 && size - begins >= sizeof number)
      std::memcpy(made.data() + begins, &number, sizeof number);
  }
  return made;
}

/// More than a stream takes while its peer doesn't read, with room for whole frames behind.
[[nodiscard]] inline std::size_t more_than_fits(const world& w) {
  return w.pipe_capacity() * (w.under_faults() ? 2u : 4u) + (std::size_t{64} << 10);
}

[[nodiscard]] inline pair_options in_mode(transmission mode, bool framed = false) {
  pair_options made;
  made.server.mode = made.client.mode = mode;
  made.server.max_message = made.client.max_message = max_message_limit;  // for more_than_fits
  made.server.framed = framed;
  return made;
}
[[nodiscard]] inline pair_options bytes() {
  return in_mode(transmission::byte);
}
[[nodiscard]] inline pair_options framed_bytes() {
  return in_mode(transmission::byte, true);
}
[[nodiscard]] inline pair_options messages() {
  return in_mode(transmission::message);
}
[[nodiscard]] inline std::vector<pair_options> all_modes() {
  return {bytes(), framed_bytes(), messages()};
}

struct piece {
  std::string text;
  bool complete = false;
  bool end = false;
};

/// One receive into a span of that size; it must succeed.
[[nodiscard]] inline task<piece> receive_span(party& p, connection& from, std::size_t size) {
  std::string into(size, '\0');
  const received got = p.value(co_await p.bounded(from.receive(std::as_writable_bytes(std::span(into)))));
  into.resize(got.bytes);
  co_return piece{std::move(into), got.complete, got.end};
}

/// A send as a task, for p.beside().
[[nodiscard]] inline task<void> send_one(party& p, connection& to, const std::string& text) {
  co_await p.send(to, text);
}

/// Byte mode: all until the end.
[[nodiscard]] inline task<std::string> receive_rest(party& p, connection& from) {
  std::string all;
  for (buffer b;;) {
    const received got = p.value(co_await p.bounded(from.receive(b)));
    if (got.end) co_return all;
    all += b.text();
  }
}

/// Requests a stop once what is pending has had the time to get as far as it can, and ends when the runtime
/// has taken it up: until then it is but a request.
[[nodiscard]] inline task<void> stop_soon(party& p, stopper& what) {
  co_await p.sleep(std::chrono::milliseconds(20));
  what.request_stop();
  co_await p.sleep(std::chrono::milliseconds(1));
}

// The wire format by hand, as docs/protocol.md has it: these bytes don't come from the code under test.

[[nodiscard]] inline std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string made;
  for (std::size_t i = 0; i < size; ++i, value >>= 8) made += static_cast<char>(value & 0xff);
  return made;
}

inline constexpr std::size_t reply_size = 32;
inline constexpr std::uint32_t feature_message = 1, feature_framed = 2, feature_app_drain = 8;

/// A hello that asks for these features; directions both, messages up to 1 MiB.
[[nodiscard]] inline std::string hello_bytes(std::uint32_t features) {
  using namespace std::string_literals;
  return "\x89TWPC\r\n\x1a"s + little_endian(reply_size, 2) + "\x01\x01"s + little_endian(features, 4) +
         little_endian(features, 4) + "\x01\x03\0\0"s + little_endian(std::uint64_t{1} << 20, 4) +
         little_endian(0, 4);
}
[[nodiscard]] inline std::string message_hello() {
  return hello_bytes(feature_message | feature_framed);
}

enum : std::uint8_t {
  data_frame = 0,
  end_frame = 1,
  drain_frame = 2,
  ping_frame = 4,
  abort_frame = 7,
  unknown_frame = 8
};
inline constexpr std::uint8_t more = 1;

[[nodiscard]] inline std::string frame_header(std::uint32_t length, std::uint8_t type,
                                              std::uint8_t flags = 0) {
  return little_endian(length, 4) + static_cast<char>(type) + static_cast<char>(flags) + std::string(2, '\0');
}

/// Connects without the library's handshake and sends the hello of a message client; its connection is then
/// admitted.
[[nodiscard]] inline task<connection> crafted_client(party& p, std::string_view name) {
  connection made = co_await p.raw_client(name);
  const std::string hello = message_hello();
  co_await p.send(made, hello);
  const std::string reply = co_await p.receive_bytes(made, reply_size);
  EXPECT(p, reply.starts_with("\x89TWPS\r\n\x1a"));
  EXPECT(p, reply[11] == '\0');
  co_return made;
}

}  // namespace tp::conformance
