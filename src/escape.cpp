// Text from a peer, made safe to show.
#include "twinpipe/escape.hpp"

namespace tp {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_escaped(std::string& out, unsigned char byte) {
  if (byte == '"' || byte == '\'' || byte == '\\') {
    out += {'\\', static_cast<char>(byte)};
  } else if (byte >= 0x20 && byte < 0x7f) {
    out += static_cast<char>(byte);
  } else {
    out += {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
  }
}

}  // namespace

std::string escape(std::string_view text, std::size_t limit) {
  std::string out;
  const std::string_view shown = text.substr(0, limit);
  out.reserve(shown.size());
  for (const char c : shown) append_escaped(out, static_cast<unsigned char>(c));
  if (shown.size() < text.size()) out += "...";
  return out;
}

std::string escape(std::span<const std::byte> bytes, std::size_t limit) {
  return escape(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), limit);
}

std::string in_quotes(std::string_view text, std::size_t limit) {
  std::string out = "'";
  out += escape(text, limit);
  out += '\'';
  return out;
}

}  // namespace tp
