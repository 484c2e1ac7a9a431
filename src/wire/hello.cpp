// The handshake of the native profile: encoding, and the checks of docs/protocol.md, each at the first byte
// that breaks it.
#include "wire/hello.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "twinpipe/escape.hpp"
#include "wire/little_endian.hpp"

namespace tp::wire {

namespace {

constexpr magic make_magic(char side) {
  magic bytes{};
  const std::array<unsigned char, 8> plain{0x89, 'T',  'W', 'P', static_cast<unsigned char>(side),
                                           0x0d, 0x0a, 0x1a};
  std::ranges::transform(plain, bytes.begin(), [](unsigned char c) { return std::byte{c}; });
  return bytes;
}

constexpr std::size_t total_at = 8;
constexpr std::size_t extension_header_size = 4;
constexpr std::uint16_t critical_bit = 0x8000;

/// Types of the extensions.
enum extension_type : std::uint16_t {
  app_protocol_type = 1,
  endpoint_type = 2,
  program_type = 3,
  reason_type = 4,
  relay_hop_type = 5,
  keepalive_type = 6,
  retry_after_type = 7,
};

bool is_refusal(reply_status status) noexcept {
  return status > reply_status::wait;
}

/// A hello or reply that grows at its end.
class writer {
 public:
  template <std::unsigned_integral T>
  void number(T value) {
    bytes_.resize(bytes_.size() + sizeof(T));
    store(bytes_, bytes_.size() - sizeof(T), value);
  }
  void append(std::span<const std::byte> more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  void text(extension_type type, std::string_view value) {
    number(static_cast<std::uint16_t>(type));
    number(static_cast<std::uint16_t>(value.size()));
    append(std::as_bytes(std::span(value)));
  }
  void text(extension_type type, const std::optional<std::string>& value, std::size_t limit) {
    if (value) text(type, sendable_text(*value, limit));
  }
  void milliseconds(extension_type type, const std::optional<std::uint32_t>& value) {
    if (!value) return;
    number(static_cast<std::uint16_t>(type));
    number(static_cast<std::uint16_t>(sizeof *value));
    number(*value);
  }
  void all(const extensions& extra) {
    std::size_t room = app_protocols_max;
    for (const auto& protocol : extra.app_protocols) {
      if (protocol.size() + extension_header_size > room) break;
      room -= protocol.size() + extension_header_size;
      text(app_protocol_type, protocol);
    }
    text(endpoint_type, extra.endpoint, text_max);
    text(program_type, extra.program, text_max);
    text(reason_type, extra.reason, reason_max);
    text(relay_hop_type, extra.relay_hop, text_max);
    milliseconds(keepalive_type, extra.keepalive_ms);
    milliseconds(retry_after_type, extra.retry_after_ms);
  }
  std::vector<std::byte> finish() {
    store(bytes_, total_at, static_cast<std::uint16_t>(bytes_.size()));
    return std::move(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
};

/// The rule that byte `at`, the last of a hello so far, breaks; empty if none.
std::string_view broken_hello_rule(std::span<const std::byte> hello, std::size_t at) {
  const auto byte = load<std::uint8_t>(hello, at);
  switch (at) {
    case 10:
      return byte == 0 ? "the lowest version is 0" : "";
    case 11:
      return byte < load<std::uint8_t>(hello, 10) ? "the highest version is below the lowest" : "";
    case 20:
      return byte > 3 ? "an unknown impersonation level" : "";
    case 21:
      return byte == 0 || byte > (client_to_server | server_to_client) ? "impossible directions" : "";
    case 22:
    case 23:
      return byte != 0 ? "a reserved byte is not zero" : "";
    case 28:
    case 29:
    case 30:
    case 31:
      return load<std::uint32_t>(hello, 28) > early_max ? "too much early data" : "";
    default:
      return "";
  }
}

/// As above, of a reply.
std::string_view broken_reply_rule(std::span<const std::byte> reply, std::size_t at) {
  const auto byte = load<std::uint8_t>(reply, at);
  switch (at) {
    case 10:
      return byte > version_highest ? "a version that was not offered" : "";
    case 11:
      if (byte > static_cast<std::uint8_t>(reply_status::early_refused)) return "an unknown status";
      return is_refusal(reply_status{byte}) != (load<std::uint8_t>(reply, 10) == 0)
                 ? "version 0 goes with a refusal and with nothing else"
                 : "";
    case 12:
      if ((byte & ~features_known) != 0) return "an unknown feature is granted";
      return byte != 0 && (byte & feature_framed) == 0 ? "a feature that needs frames, without frames" : "";
    case 13:
    case 14:
    case 15:
      return byte != 0 ? "an unknown feature is granted" : "";
    case 20:
    case 21:
    case 22:
    case 23:
      return load<std::uint32_t>(reply, 20) > early_max ? "too much early data" : "";
    default:
      return "";
  }
}

/// The bytes that are the last of what a rule looks at: where all are sound, no byte breaks one.
constexpr std::array<std::size_t, 7> hello_rules_end = {10, 11, 20, 21, 22, 23, 31};
constexpr std::array<std::size_t, 7> reply_rules_end = {10, 11, 12, 13, 14, 15, 23};

/// Nothing, or at least the header of one more extension.
bool leaves_room(std::size_t rest) noexcept {
  return rest == 0 || rest >= extension_header_size;
}

bool has_fixed_length(std::uint16_t number) noexcept {
  return number == keepalive_type || number == retry_after_type;
}

/// May an extension have a value of `length` bytes where `room` bytes are left for it and all that follows?
bool length_fits(std::uint16_t number, std::size_t length, std::size_t room) noexcept {
  if (length > room || !leaves_room(room - length)) return false;
  if (has_fixed_length(number)) return length == sizeof(std::uint32_t);
  return number != reason_type || length <= reason_max;
}

}  // namespace

constexpr magic client_magic = make_magic('C');
constexpr magic server_magic = make_magic('S');

std::vector<std::byte> encode(const client_hello& hello) {
  writer out;
  out.append(client_magic);
  out.number(std::uint16_t{0});
  out.number(hello.version_min);
  out.number(hello.version_max);
  out.number(hello.offered);
  out.number(hello.required);
  out.number(hello.level);
  out.number(hello.directions);
  out.number(std::uint16_t{0});
  out.number(hello.max_receive);
  out.number(hello.early_length);
  out.all(hello.extra);
  return out.finish();
}

std::vector<std::byte> encode(const server_reply& reply) {
  writer out;
  out.append(server_magic);
  out.number(std::uint16_t{0});
  out.number(is_refusal(reply.status) ? std::uint8_t{0} : reply.version);
  out.number(static_cast<std::uint8_t>(reply.status));
  out.number(reply.granted);
  out.number(reply.max_receive);
  out.number(reply.early_taken);
  out.number(reply.connection_id);
  out.all(reply.extra);
  return out.finish();
}

hello_reader::hello_reader(hello_side expected) : buffer_(hello_fixed_size), side_(expected) {}

std::span<std::byte> hello_reader::wanted() noexcept {
  if (state_ != state::needs_more) return {};
  return std::span(buffer_).subspan(filled_);
}

hello_reader::state hello_reader::feed(std::size_t n) {
  assert(state_ == state::needs_more && n <= buffer_.size() - filled_);
  const std::size_t from = filled_;
  filled_ += n;
  const bool at_once = from == 0 && fixed_part_is_sound();
  for (std::size_t at = at_once ? hello_fixed_size : from; at < filled_; ++at) {
    if (check_byte(at) == state::wrong) return state_;
  }
  if (filled_ == total_) {
    complete();
  } else if (filled_ == buffer_.size()) {
    // What a peer announces costs nothing until it has sent half of it.
    buffer_.resize(std::min(total_, 2 * filled_));
  }
  return state_;
}

hello_reader::state hello_reader::fail(errc reason, std::string text) {
  reason_ = reason;
  reason_text_ = std::move(text);
  return state_ = state::wrong;
}

hello_reader::state hello_reader::malformed(std::size_t at, std::string_view rule) {
  return fail(errc::protocol_error, "byte " + std::to_string(at) + ": " + std::string(rule));
}

// Most come whole and sound. Of the others each byte is looked at, to say which is the first wrong one.
bool hello_reader::fixed_part_is_sound() {
  if (filled_ < hello_fixed_size) return false;
  const bool from_client = side_ == hello_side::from_client;
  const std::span<const std::byte> fixed = std::span(buffer_).first(hello_fixed_size);
  if (!std::ranges::equal(fixed.first(client_magic.size()), from_client ? client_magic : server_magic))
    return false;
  const auto broken = from_client ? broken_hello_rule : broken_reply_rule;
  const auto sound = [&](std::size_t at) { return broken(fixed.first(at + 1), at).empty(); };
  return take_total() && std::ranges::all_of(from_client ? hello_rules_end : reply_rules_end, sound);
}

bool hello_reader::take_total() noexcept {
  total_ = load<std::uint16_t>(buffer_, total_at);
  return total_ >= hello_fixed_size && total_ <= hello_max_size && leaves_room(total_ - hello_fixed_size);
}

hello_reader::state hello_reader::check_byte(std::size_t at) {
  if (at < client_magic.size()) return check_magic(at);
  if (at >= hello_fixed_size) return check_extension_byte(at);
  if (at == total_at + 1 && !take_total())
    return malformed(at, "a total length of " + std::to_string(total_));
  const std::span<const std::byte> so_far = std::span(buffer_).first(at + 1);
  const auto rule =
      side_ == hello_side::from_client ? broken_hello_rule(so_far, at) : broken_reply_rule(so_far, at);
  return rule.empty() ? state_ : malformed(at, rule);
}

hello_reader::state hello_reader::check_magic(std::size_t at) {
  const auto& [expected, other] = side_ == hello_side::from_client ? std::pair(client_magic, server_magic)
                                                                   : std::pair(server_magic, client_magic);
  if (buffer_[at] == expected[at]) return state_;
  const std::span<const std::byte> received = std::span(buffer_).first(filled_);
  const auto start = received.first(std::min(filled_, other.size()));
  if (std::ranges::equal(start, std::span(other).first(start.size()))) {
    return fail(errc::peer_is_not_twinpipe, side_ == hello_side::from_server
                                                ? "an echo server: it sent this side's own hello back"
                                                : "it sent a server's reply where a client's hello belongs");
  }
  return fail(errc::peer_is_not_twinpipe, "it began with \"" + escape(received) + '"');
}

hello_reader::state hello_reader::check_extension_byte(std::size_t at) {
  const std::size_t position = at - current_.begin;
  if (position == 0) return state_;
  if (position == 1) return check_extension_type(at);
  const bool in_value = position >= extension_header_size;
  if (!in_value && check_extension_length(at) == state::wrong) return state_;
  if (in_value && current_.number == reason_type && check_reason_byte(at) == state::wrong) return state_;
  if (position + 1 == extension_header_size + current_.length) keep_extension();
  return state_;
}

hello_reader::state hello_reader::check_extension_type(std::size_t at) {
  const auto type = load<std::uint16_t>(buffer_, current_.begin);
  const auto number = static_cast<std::uint16_t>(type & ~critical_bit);
  current_.number = number;
  if (number < app_protocol_type || number > retry_after_type) {
    if ((type & critical_bit) == 0) return state_;
    return fail(errc::feature_refused,
                "byte " + std::to_string(at) + ": an unknown critical extension, " + std::to_string(number));
  }
  const unsigned bit = 1u << number;
  const bool repeatable = number == app_protocol_type && side_ == hello_side::from_client;
  if ((seen_ & bit) != 0 && !repeatable)
    return malformed(at, "extension " + std::to_string(number) + " a second time");
  seen_ |= bit;
  const std::size_t room = total_ - current_.begin - extension_header_size;
  if (has_fixed_length(number) && !length_fits(number, sizeof(std::uint32_t), room)) {
    return malformed(at, "no room for the value of extension " + std::to_string(number));
  }
  return state_;
}

hello_reader::state hello_reader::check_extension_length(std::size_t at) {
  // Its low byte alone is the shortest that the length can become, and where that doesn't fit, none with a
  // high byte does.
  const std::span<const std::byte> so_far = std::span(buffer_).first(at + 1);
  const std::size_t room = total_ - current_.begin - extension_header_size;
  current_.length = load<std::uint16_t>(so_far, current_.begin + 2);
  if (length_fits(current_.number, current_.length, room)) return state_;
  return malformed(at, "an impossible length of extension " + std::to_string(current_.number));
}

hello_reader::state hello_reader::check_reason_byte(std::size_t at) {
  const std::size_t left = current_.begin + extension_header_size + current_.length - at - 1;
  if (!reason_check_.feed(load<std::uint8_t>(buffer_, at)) || reason_check_.left() > left) {
    return malformed(at, "a reason that is not UTF-8");
  }
  return state_;
}

void hello_reader::keep_extension() {
  const std::size_t value_at = current_.begin + extension_header_size;
  const std::string text(reinterpret_cast<const char*>(buffer_.data()) + value_at, current_.length);
  switch (current_.number) {
    case app_protocol_type:
      extra().app_protocols.push_back(text);
      break;
    case endpoint_type:
      extra().endpoint = text;
      break;
    case program_type:
      extra().program = text;
      break;
    case reason_type:
      extra().reason = text;
      break;
    case relay_hop_type:
      extra().relay_hop = text;
      break;
    case keepalive_type:
      extra().keepalive_ms = load<std::uint32_t>(buffer_, value_at);
      break;
    case retry_after_type:
      extra().retry_after_ms = load<std::uint32_t>(buffer_, value_at);
      break;
    default:  // unknown and not critical: skipped
      break;
  }
  current_ = {.begin = value_at + current_.length};
}

void hello_reader::complete() {
  if (side_ == hello_side::from_client) {
    hello_.version_min = load<std::uint8_t>(buffer_, 10);
    hello_.version_max = load<std::uint8_t>(buffer_, 11);
    hello_.offered = load<std::uint32_t>(buffer_, 12);
    hello_.required = load<std::uint32_t>(buffer_, 16);
    hello_.level = load<std::uint8_t>(buffer_, 20);
    hello_.directions = load<std::uint8_t>(buffer_, 21);
    hello_.max_receive = load<std::uint32_t>(buffer_, 24);
    hello_.early_length = load<std::uint32_t>(buffer_, 28);
  } else {
    reply_.version = load<std::uint8_t>(buffer_, 10);
    reply_.status = reply_status{load<std::uint8_t>(buffer_, 11)};
    reply_.granted = load<std::uint32_t>(buffer_, 12);
    reply_.max_receive = load<std::uint32_t>(buffer_, 16);
    reply_.early_taken = load<std::uint32_t>(buffer_, 20);
    reply_.connection_id = load<std::uint64_t>(buffer_, 24);
  }
  state_ = state::complete;
}

}  // namespace tp::wire
