// Text from a peer, made safe to show.
#include "twinpipe/escape.hpp"

#include <algorithm>

namespace tp {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_plain(char c) noexcept {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

void append_byte(std::string& out, unsigned char byte) {
  if (byte >= 0x20 && byte < 0x7f) {
    out += {'\\', static_cast<char>(byte)};
  } else {
    out += {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
  }
}

void append_escaped(std::string& out, std::string_view text, std::size_t limit) {
  const std::string_view shown = text.substr(0, limit);
  for (auto at = shown.begin(); at != shown.end();) {
    const auto end = std::find_if_not(at, shown.end(), is_plain);
    out.append(at, end);
    at = end;
    if (at != shown.end()) append_byte(out, static_cast<unsigned char>(*at++));
  }
  if (shown.size() < text.size()) out += "...";
}

}  // namespace

std::string escape(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit));
  append_escaped(out, text, limit);
  return out;
}

std::string escape(std::span<const std::byte> bytes, std::size_t limit) {
  return escape(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), limit);
}

std::string in_quotes(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit) + 2);
  out += '\'';
  append_escaped(out, text, limit);
  out += '\'';
  return out;
}

}  // namespace tp
