// What the tests of the wire format share: bytes as text, readers fed in pieces, and a peer's frames as a
// list of events.
#include "wire_support.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

namespace tp::test {

namespace {

using kind = wire::frame_parser::kind;

constexpr std::size_t no_payload = 0;

std::string with_bytes(std::string word, std::span<const std::byte> bytes) {
  return bytes.empty() ? word : word + ' ' + to_hex(bytes);
}

std::string control_line(const wire::frame_parser::event& e, std::span<const std::byte> consumed) {
  switch (e.what) {
    case kind::end:
      return "end";
    case kind::drain:
      return "drain " + std::to_string(e.token);
    case kind::drained:
      return "drained " + std::to_string(e.token);
    case kind::ping:
      return "ping " + std::to_string(e.token);
    case kind::pong:
      return "pong " + std::to_string(e.token);
    case kind::close: {
      const auto reason = consumed.subspan(wire::frame_header_size + sizeof e.close_code);
      std::string line = "close " + std::to_string(e.close_code) + (reason.empty() ? "" : " ");
      return line.append(reinterpret_cast<const char*>(reason.data()), reason.size());
    }
    case kind::message_aborted:
      return "aborted";
    case kind::ignored:
      return with_bytes("ignored " + std::to_string(std::to_integer<int>(consumed[4])), consumed.subspan(8));
    default:
      throw std::logic_error("not a control frame");
  }
}

}  // namespace

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::byte b : bytes) {
    const auto value = std::to_integer<unsigned>(b);
    if (!out.empty()) out += ' ';
    out += digits[value >> 4];
    out += digits[value & 15];
  }
  return out;
}

byte_vector from_hex(std::string_view hex) {
  byte_vector out;
  std::istringstream words{std::string(hex)};
  for (std::string word; words >> word;) out.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
  return out;
}

byte_vector bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void append(byte_vector& to, std::span<const std::byte> more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::size_t feed(wire::hello_reader& reader, std::span<const std::byte> bytes, std::size_t step) {
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.current() == wire::hello_reader::state::needs_more) {
    const auto wanted = reader.wanted();
    const std::size_t n = std::min({wanted.size(), step, bytes.size() - taken});
    std::ranges::copy(bytes.subspan(taken, n), wanted.begin());
    reader.feed(n);
    taken += n;
  }
  return taken;
}

void frame_log::feed(std::span<const std::byte> piece) {
  append(buffer_, piece);
  while (!refused_ && step()) {
  }
}

bool frame_log::step() {
  if (parser_.payload_left() > no_payload) {
    if (buffer_.empty()) return false;
    take_payload();
    return true;
  }
  const auto e = parser_.next(buffer_);
  if (e.what == kind::needs_more) return false;
  if (e.consumed > buffer_.size()) throw std::logic_error("consumed more than there was");
  if (e.what == kind::violation) {
    events_.push_back("violation " + std::string(to_string(e.code)));
    refused_ = true;
    return false;
  }
  const std::span<const std::byte> consumed = std::span(buffer_).first(e.consumed);
  if (e.what != kind::data) events_.push_back(control_line(e, consumed));
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(e.consumed));
  if (e.what == kind::data) take_payload();
  return true;
}

void frame_log::take_payload() {
  const std::size_t n = std::min(parser_.payload_left(), buffer_.size());
  append(payload_, std::span(buffer_).first(n));
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(n));
  parser_.take(n);
  if (parser_.payload_left() > no_payload) return;
  events_.push_back(with_bytes(parser_.final_fragment() ? "data" : "fragment", payload_));
  payload_.clear();
}

byte_vector frame(std::uint8_t type, std::span<const std::byte> payload, std::uint8_t flags) {
  byte_vector out;
  append(out,
         wire::encode({.length = static_cast<std::uint32_t>(payload.size()), .type = type, .flags = flags}));
  append(out, payload);
  return out;
}

byte_vector frame(wire::frame_type type, std::string_view payload, std::uint8_t flags) {
  return frame(static_cast<std::uint8_t>(type), std::as_bytes(std::span(payload)), flags);
}

byte_vector frame_of_event(const std::string& event) {
  std::istringstream words(event);
  std::string word;
  words >> word;
  if (word == "data" || word == "fragment") {
    return frame(0, from_hex(event.substr(word.size())), word == "fragment" ? wire::flag_more : 0);
  }
  wire::control_frame control;
  std::uint64_t number = 0;
  words >> number;
  if (word == "ignored") {
    std::string hex;
    std::getline(words, hex);
    return frame(static_cast<std::uint8_t>(number), from_hex(hex));
  }
  if (word == "close") {
    control = wire::make_close(static_cast<std::uint16_t>(number));
    std::string reason;
    std::getline(words >> std::ws, reason);
    control.bytes[0] = static_cast<std::byte>(2 + reason.size());
    byte_vector out(control.bytes.begin(), control.bytes.begin() + control.size);
    append(out, bytes_of(reason));
    return out;
  }
  static const std::map<std::string, wire::frame_type> plain{{"end", wire::frame_type::end},
                                                             {"aborted", wire::frame_type::abort_message}};
  static const std::map<std::string, wire::frame_type> with_token{{"drain", wire::frame_type::drain},
                                                                  {"drained", wire::frame_type::drained},
                                                                  {"ping", wire::frame_type::ping},
                                                                  {"pong", wire::frame_type::pong}};
  const auto it = plain.find(word);
  control =
      it != plain.end() ? wire::make_control(it->second) : wire::make_control(with_token.at(word), number);
  return {control.bytes.begin(), control.bytes.begin() + control.size};
}

}  // namespace tp::test
