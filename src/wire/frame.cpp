// Frames of the native profile: encoding, and the rules of docs/protocol.md about which frame may come when.
#include "wire/frame.hpp"

#include "wire/little_endian.hpp"
#include "wire/utf8.hpp"

namespace tp::wire {

namespace {

constexpr std::size_t token_size = 8;
constexpr std::size_t close_code_size = 2;
constexpr std::size_t close_reason_max = 512;

constexpr std::uint8_t number(frame_type type) {
  return static_cast<std::uint8_t>(type);
}

control_frame control_header(frame_type type, std::size_t payload) noexcept {
  control_frame frame;
  store(frame.bytes, 0, static_cast<std::uint32_t>(payload));
  frame.bytes[4] = static_cast<std::byte>(type);
  frame.size = static_cast<std::uint8_t>(frame_header_size + payload);
  return frame;
}

/// Is the length one that a frame of this type, not data, can have?
bool length_fits(const frame_header& header) noexcept {
  switch (static_cast<frame_type>(header.type)) {
    case frame_type::end:
    case frame_type::abort_message:
      return header.length == 0;
    case frame_type::drain:
    case frame_type::drained:
    case frame_type::ping:
    case frame_type::pong:
      return header.length == token_size;
    case frame_type::close:
      return header.length >= close_code_size && header.length <= close_code_size + close_reason_max;
    default:
      return header.length <= control_payload_max;
  }
}

bool is_ignorable(const frame_header& header) noexcept {
  return (header.type & ignorable_bit) != 0;
}

/// The rule that a control frame's header alone breaks; null: none.
const char* broken_header_rule(const frame_header& header) noexcept {
  if (!is_ignorable(header)) {
    if (header.type > number(frame_type::abort_message)) return "a frame of an unknown type";
    if (header.flags != 0) return "a control frame with flags";
  }
  if (!length_fits(header)) return "a control frame of an impossible length";
  return nullptr;
}

frame_parser::kind kind_of(frame_type type) noexcept {
  switch (type) {
    case frame_type::drain:
      return frame_parser::kind::drain;
    case frame_type::drained:
      return frame_parser::kind::drained;
    case frame_type::ping:
      return frame_parser::kind::ping;
    case frame_type::pong:
      return frame_parser::kind::pong;
    default:
      return frame_parser::kind::ignored;
  }
}

}  // namespace

[[gnu::hot]] header_bytes encode(const frame_header& header) noexcept {
  header_bytes bytes{};
  store(bytes, 0, header.length);
  bytes[4] = static_cast<std::byte>(header.type);
  bytes[5] = static_cast<std::byte>(header.flags);
  return bytes;
}

control_frame make_control(frame_type type) noexcept {
  return control_header(type, 0);
}

control_frame make_control(frame_type type, std::uint64_t token) noexcept {
  control_frame frame = control_header(type, token_size);
  store(frame.bytes, frame_header_size, token);
  return frame;
}

control_frame make_close(std::uint16_t code) noexcept {
  control_frame frame = control_header(frame_type::close, close_code_size);
  store(frame.bytes, frame_header_size, code);
  return frame;
}

[[gnu::hot]] frame_parser::event frame_parser::next(std::span<const std::byte> input) noexcept {
  assert(payload_left_ == 0);
  if (failed_ != errc::none) return violation(failed_, broken_rule_);
  if (input.size() < frame_header_size) return {};
  const frame_header header{.length = load<std::uint32_t>(input, 0),
                            .type = load<std::uint8_t>(input, 4),
                            .flags = load<std::uint8_t>(input, 5)};
  if (load<std::uint16_t>(input, 6) != 0) {
    return violation(errc::protocol_error, "a frame with a reserved byte that is not zero");
  }
  if (header.type == number(frame_type::data)) return on_data(header);
  if (const char* const rule = broken_header_rule(header)) return violation(errc::protocol_error, rule);
  const auto payload = input.subspan(frame_header_size);
  if (payload.size() < header.length) return {};
  event e = on_control(header, payload.first(header.length));
  if (e.what != kind::violation) e.consumed = static_cast<std::uint16_t>(frame_header_size + header.length);
  return e;
}

frame_parser::event frame_parser::violation(errc code, const char* rule) noexcept {
  failed_ = code;
  broken_rule_ = rule;
  event e;
  e.what = kind::violation;
  e.code = code;
  return e;
}

[[gnu::hot]] frame_parser::event frame_parser::on_data(const frame_header& header) noexcept {
  if ((header.flags & ~flag_more) != 0) {
    return violation(errc::protocol_error, "a data frame with an unknown flag");
  }
  if (ended_) return violation(errc::protocol_error, "data after the end");
  const bool more = (header.flags & flag_more) != 0;
  if (mode_ == transmission::byte) {
    if (more) return violation(errc::protocol_error, "a fragment in byte mode");
    if (header.length == 0) return violation(errc::protocol_error, "an empty data frame in byte mode");
    message_bytes_ = 0;
  } else {
    if (more && header.length == 0) {
      return violation(errc::protocol_error, "an empty fragment that is not the last");
    }
    if (!more_) message_bytes_ = 0;
    // message_bytes_ never exceeds max_receive_, so the difference can't wrap, whatever length is announced.
    if (header.length > max_receive_ - message_bytes_) {
      refused_length_ = header.length;
      return violation(errc::message_too_large, "a message larger than this side receives");
    }
  }
  message_bytes_ += header.length;
  payload_left_ = header.length;
  more_ = more;
  event e;
  e.what = kind::data;
  e.consumed = frame_header_size;
  return e;
}

frame_parser::event frame_parser::on_control(const frame_header& header,
                                             std::span<const std::byte> payload) noexcept {
  const auto type = static_cast<frame_type>(header.type);
  if (type == frame_type::end) return on_end();
  if (type == frame_type::abort_message) return on_abort();
  if (type == frame_type::close) return on_close(payload);
  event e;
  e.what = kind_of(type);
  if (e.what != kind::ignored) e.token = load<std::uint64_t>(payload, 0);
  return e;
}

frame_parser::event frame_parser::on_end() noexcept {
  if (ended_) return violation(errc::protocol_error, "a second end");
  if (more_) return violation(errc::protocol_error, "an end inside a message");
  ended_ = true;
  event e;
  e.what = kind::end;
  return e;
}

frame_parser::event frame_parser::on_abort() noexcept {
  if (!more_) return violation(errc::protocol_error, "an abort outside a message");
  more_ = false;
  event e;
  e.what = kind::message_aborted;
  return e;
}

frame_parser::event frame_parser::on_close(std::span<const std::byte> payload) noexcept {
  const auto text = payload.subspan(close_code_size);
  event e;
  e.what = kind::close;
  e.close_code = load<std::uint16_t>(payload, 0);
  const std::string_view reason(reinterpret_cast<const char*>(text.data()), text.size());
  if (!is_utf8(reason)) return violation(errc::protocol_error, "a close whose reason is not UTF-8");
  return e;
}

}  // namespace tp::wire
