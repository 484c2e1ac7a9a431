// What the tests of the wire format share: bytes as text, readers fed in pieces, and a peer's frames as a
// list of events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frame.hpp"
#include "wire/hello.hpp"

namespace tp::test {

using byte_vector = std::vector<std::byte>;

/// "61 62 0a" and back.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
[[nodiscard]] byte_vector from_hex(std::string_view hex);

[[nodiscard]] byte_vector bytes_of(std::string_view text);
void append(byte_vector& to, std::span<const std::byte> more);

/// Gives the reader the bytes in pieces of at most `step` until it wants no more; answers how many it took.
std::size_t feed(wire::hello_reader& reader, std::span<const std::byte> bytes, std::size_t step = SIZE_MAX);

/// Takes a stream of frames in pieces as a connection would, and keeps a line for each frame that is whole,
/// written as in the test vectors of docs/protocol.md.
class frame_log {
 public:
  frame_log(transmission mode, std::size_t max_receive) : parser_(mode, max_receive) {}

  void feed(std::span<const std::byte> piece);
  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }
  [[nodiscard]] const wire::frame_parser& parser() const { return parser_; }
  [[nodiscard]] bool refused() const { return refused_; }
  /// Bytes that were neither part of an event nor of a payload so far.
  [[nodiscard]] std::size_t left_over() const { return buffer_.size(); }

 private:
  bool step();
  void take_payload();

  wire::frame_parser parser_;
  byte_vector buffer_;
  byte_vector payload_;
  std::vector<std::string> events_;
  bool refused_ = false;
};

/// A frame with any header and payload, possible or not.
[[nodiscard]] byte_vector frame(std::uint8_t type, std::span<const std::byte> payload = {},
                                std::uint8_t flags = 0);
[[nodiscard]] byte_vector frame(wire::frame_type type, std::string_view payload = {}, std::uint8_t flags = 0);

/// The bytes of an event as frame_log writes it; not of a violation.
[[nodiscard]] byte_vector frame_of_event(const std::string& event);

/// A small generator of our own, so that every standard library draws the same inputs (splitmix64's
/// constants).
class generator {
 public:
  explicit generator(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 to bound - 1.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  std::byte byte() { return static_cast<std::byte>(next() >> 56); }

 private:
  std::uint64_t state_;
};

}  // namespace tp::test
