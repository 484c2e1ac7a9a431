// UTF-8 as the wire wants it: checked byte by byte, and repaired or cut where it is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tp::wire {

/// Takes a text one byte at a time and refuses the first byte that no valid text continues with: no overlong
/// forms, no surrogates, nothing above U+10FFFF (RFC 3629, section 4).
class utf8_checker {
 public:
  /// False once a byte was impossible.
  [[nodiscard]] bool feed(unsigned char byte) noexcept {
    if (left_ > 0) {
      if (byte < low_ || byte > high_) return false;
      low_ = 0x80;
      high_ = 0xbf;
      --left_;
      return true;
    }
    return begin_character(byte);
  }
  /// Is the text so far whole, or does its last character lack bytes?
  [[nodiscard]] bool whole() const noexcept { return left_ == 0; }
  /// How many bytes the character under way must still get.
  [[nodiscard]] std::size_t left() const noexcept { return left_; }

 private:
  bool begin_character(unsigned char byte) noexcept {
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // The second byte carries what the first leaves open: overlong forms, surrogates, the end of Unicode.
    if (byte == 0xe0) low_ = 0xa0;
    if (byte == 0xed) high_ = 0x9f;
    if (byte == 0xf0) low_ = 0x90;
    if (byte == 0xf4) high_ = 0x8f;
    return true;
  }

  std::size_t left_ = 0;
  unsigned char low_ = 0x80;
  unsigned char high_ = 0xbf;
};

[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  utf8_checker checker;
  for (const char c : text) {
    if (!checker.feed(static_cast<unsigned char>(c))) return false;
  }
  return checker.whole();
}

/// The text cut between characters to at most `limit` bytes, each byte that isn't UTF-8 as a question mark:
/// what an application says must not make the peer refuse the hello that carries it.
[[nodiscard]] inline std::string sendable_text(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    while (size < 4 && at + size < text.size() && !is_utf8(text.substr(at, size))) ++size;
    const std::string_view character = text.substr(at, size);
    const bool valid = is_utf8(character);
    if (out.size() + (valid ? size : 1) > limit) break;
    out += valid ? character : "?";
    at += valid ? size : 1;
  }
  return out;
}

}  // namespace tp::wire
