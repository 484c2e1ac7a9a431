// Frames of the native profile: their headers, their control payloads, and a parser that checks a peer's
// sequence of them. The format is docs/protocol.md, version 1.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "twinpipe/error.hpp"
#include "twinpipe/options.hpp"

namespace tp::wire {

inline constexpr std::size_t frame_header_size = 8;
inline constexpr std::size_t control_payload_max = 520;

enum class frame_type : std::uint8_t {
  data = 0,
  end = 1,
  drain = 2,
  drained = 3,
  ping = 4,
  pong = 5,
  close = 6,
  abort_message = 7,
};

/// Codes of CLOSE; those from 256 on are the application's.
inline constexpr std::uint16_t close_normal = 0;
inline constexpr std::uint16_t close_protocol_error = 1;
inline constexpr std::uint16_t close_unread = 2;

inline constexpr std::uint8_t flag_more = 1;
inline constexpr std::uint8_t ignorable_bit = 0x80;

struct frame_header {
  std::uint32_t length = 0;
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
};

using header_bytes = std::array<std::byte, frame_header_size>;
[[nodiscard]] header_bytes encode(const frame_header& header) noexcept;

/// A whole control frame, header and payload, small enough to live in a queue.
struct control_frame {
  std::array<std::byte, frame_header_size + 8> bytes{};
  std::uint8_t size = 0;
};
/// end and abort_message.
[[nodiscard]] control_frame make_control(frame_type type) noexcept;
/// drain, drained, ping, pong.
[[nodiscard]] control_frame make_control(frame_type type, std::uint64_t token) noexcept;
/// close without a reason text.
[[nodiscard]] control_frame make_close(std::uint16_t code) noexcept;

/// Parses what a peer sends after the handshake and refuses the first frame that is out of place. Sans-IO: it
/// holds no data. Control frames come as events; of a data frame only the header is an event, and its payload
/// is then moved by the caller, from its buffer or straight from the stream, and reported with take().
class frame_parser {
 public:
  enum class kind : std::uint8_t {
    needs_more,  ///< the input is too short for the next event
    data,        ///< payload_left() bytes follow
    end,         ///< the peer sends no more data
    drain,
    drained,
    ping,
    pong,
    close,            ///< the peer has closed: close_code
    message_aborted,  ///< the message under way will not be finished; what came of it is void
    ignored,          ///< an unknown frame that may be skipped, whole
    violation,        ///< protocol_error or message_too_large; what() says which rule. The parser is dead
                      ///< afterwards.
  };
  /// Small enough to be returned in registers. A close's reason ends the input that the event used up.
  struct event {
    std::uint64_t token = 0;
    std::uint16_t consumed = 0;  ///< bytes of input
    std::uint16_t close_code = 0;
    kind what = kind::needs_more;
    errc code = errc::none;
  };

  frame_parser(transmission mode, std::size_t max_receive) noexcept
      : max_receive_(max_receive), mode_(mode) {}

  /// The next event of the input. Not while payload_left() > 0.
  [[nodiscard]] event next(std::span<const std::byte> input) noexcept;

  [[nodiscard]] transmission mode() const noexcept { return mode_; }
  /// Bytes of the current data frame that are still to come.
  [[nodiscard]] std::size_t payload_left() const noexcept { return payload_left_; }
  void take(std::size_t bytes) noexcept {
    assert(bytes <= payload_left_);
    payload_left_ -= bytes;
  }
  /// Is the current or last data frame the last of its message? Always true in byte mode.
  [[nodiscard]] bool final_fragment() const noexcept { return !more_; }
  /// Between the first fragment of a message and the end of its last: an end of the stream here is
  /// connection_lost.
  [[nodiscard]] bool inside_message() const noexcept { return more_ || payload_left_ > 0; }
  /// Bytes of the current message whose headers have come so far.
  [[nodiscard]] std::size_t announced() const noexcept { return message_bytes_; }
  /// After message_too_large: the same, with the header that was refused.
  [[nodiscard]] std::uint64_t refused_size() const noexcept {
    return std::uint64_t{message_bytes_} + refused_length_;
  }
  /// The rule that was broken, a phrase for a log.
  [[nodiscard]] std::string_view broken_rule() const noexcept { return broken_rule_; }

 private:
  [[gnu::cold]] event violation(errc code, const char* rule) noexcept;
  event on_data(const frame_header& header) noexcept;
  event on_control(const frame_header& header, std::span<const std::byte> payload) noexcept;
  event on_end() noexcept;
  event on_abort() noexcept;
  event on_close(std::span<const std::byte> payload) noexcept;

  const char* broken_rule_ = "";
  std::size_t max_receive_;
  std::size_t payload_left_ = 0;
  std::size_t message_bytes_ = 0;
  std::uint32_t refused_length_ = 0;
  transmission mode_;
  errc failed_ = errc::none;
  bool more_ = false;
  bool ended_ = false;
};

}  // namespace tp::wire
