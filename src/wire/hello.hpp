// The handshake of the native profile as bytes: the client's hello, the server's reply, and a reader for
// either. The format is docs/protocol.md, version 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/error.hpp"
#include "wire/utf8.hpp"

namespace tp::wire {

inline constexpr std::size_t hello_fixed_size = 32;
inline constexpr std::size_t hello_max_size = 4096;
inline constexpr std::size_t early_max = 65536;
inline constexpr std::size_t reason_max = 512;
inline constexpr std::uint8_t version_lowest = 1;
inline constexpr std::uint8_t version_highest = 1;

using magic = std::array<std::byte, 8>;
extern const magic client_magic;
extern const magic server_magic;

/// Bits of the feature words.
enum feature : std::uint32_t {
  feature_message = 1u << 0,
  feature_framed = 1u << 1,
  feature_keepalive = 1u << 2,
  feature_app_drain = 1u << 3,
  feature_early_data = 1u << 4,
  features_known = (1u << 5) - 1,
};

/// Bits of the directions byte.
enum direction_bit : std::uint8_t { client_to_server = 1, server_to_client = 2 };

enum class reply_status : std::uint8_t {
  accepted = 0,
  wait = 1,
  busy = 2,
  access_denied = 3,
  version = 4,
  mode_mismatch = 5,
  direction = 6,
  app_protocol = 7,
  required_feature = 8,
  malformed = 9,
  overloaded = 10,
  closing = 11,
  early_refused = 12,
};

inline constexpr std::size_t text_max = 255;
inline constexpr std::size_t app_protocols_max = 2048;

/// What either side may append; every field that is absent isn't sent. Texts are cut between characters where
/// they are too long (endpoint, program and relay_hop at text_max, reason at reason_max bytes), and a byte
/// that isn't UTF-8 is sent as a question mark.
struct extensions {
  /// In order of preference; in a reply the one chosen. Opaque bytes. From the first that no longer fits into
  /// app_protocols_max, four bytes more counted for each, the rest is left out.
  std::vector<std::string> app_protocols;
  std::optional<std::string> endpoint;
  std::optional<std::string> program;
  std::optional<std::string> reason;
  std::optional<std::string> relay_hop;
  std::optional<std::uint32_t> keepalive_ms;
  std::optional<std::uint32_t> retry_after_ms;
};

struct client_hello {
  std::uint8_t version_min = version_lowest;
  std::uint8_t version_max = version_highest;
  std::uint32_t offered = 0;
  std::uint32_t required = 0;
  std::uint8_t level = 1;
  std::uint8_t directions = client_to_server | server_to_client;
  std::uint32_t max_receive = 0;
  std::uint32_t early_length = 0;
  extensions extra;
};

struct server_reply {
  std::uint8_t version = version_highest;
  reply_status status = reply_status::accepted;
  std::uint32_t granted = 0;
  std::uint32_t max_receive = 0;
  std::uint32_t early_taken = 0;
  std::uint64_t connection_id = 0;
  extensions extra;
};

[[nodiscard]] std::vector<std::byte> encode(const client_hello& hello);
/// A status that refuses is sent with version 0, whatever `version` says.
[[nodiscard]] std::vector<std::byte> encode(const server_reply& reply);

/// Which of the two a reader expects.
enum class hello_side : std::uint8_t { from_client, from_server };

/// Collects one hello or reply from a stream, and never asks for a byte beyond it. Sans-IO: the caller reads
/// into wanted() and says how much came.
class hello_reader {
 public:
  enum class state : std::uint8_t { needs_more, complete, wrong };

  explicit hello_reader(hello_side expected);

  /// Where the next bytes belong; its size is how many may be read. Never empty while state is needs_more.
  [[nodiscard]] std::span<std::byte> wanted() noexcept;
  /// Takes n bytes that were written to the front of wanted(). Rejects on the first impossible byte.
  state feed(std::size_t n);
  [[nodiscard]] state current() const noexcept { return state_; }
  /// Has any byte come yet?
  [[nodiscard]] bool begun() const noexcept { return filled_ != 0; }

  /// Why it is wrong: peer_is_not_twinpipe (the magic isn't ours; the text quotes up to 32 escaped bytes, or
  /// says that the peer is an echo server), protocol_error (ours, but malformed), feature_refused (unknown
  /// critical extension).
  [[nodiscard]] errc reason() const noexcept { return reason_; }
  [[nodiscard]] const std::string& reason_text() const noexcept { return reason_text_; }

  /// Once complete, of the side expected.
  [[nodiscard]] const client_hello& hello() const noexcept { return hello_; }
  [[nodiscard]] const server_reply& reply() const noexcept { return reply_; }

 private:
  state fail(errc reason, std::string text);
  state malformed(std::size_t at, std::string_view rule);
  [[nodiscard]] bool fixed_part_is_sound();
  [[nodiscard]] bool take_total() noexcept;
  state check_byte(std::size_t at);
  state check_magic(std::size_t at);
  state check_extension_byte(std::size_t at);
  state check_extension_type(std::size_t at);
  state check_extension_length(std::size_t at);
  state check_reason_byte(std::size_t at);
  void keep_extension();
  void complete();
  [[nodiscard]] extensions& extra() noexcept {
    return side_ == hello_side::from_client ? hello_.extra : reply_.extra;
  }

  /// The extension that is being read.
  struct extension {
    std::size_t begin = hello_fixed_size;  ///< offset of its first byte
    std::size_t length = 0;                ///< of its value
    std::uint16_t number = 0;              ///< its type without the critical bit
  };

  std::vector<std::byte> buffer_;
  std::size_t filled_ = 0;
  std::size_t total_ = hello_fixed_size;
  extension current_;
  unsigned seen_ = 0;  ///< a bit for each known type that came
  utf8_checker reason_check_;
  client_hello hello_;
  server_reply reply_;
  std::string reason_text_;
  errc reason_ = errc::none;
  state state_ = state::needs_more;
  hello_side side_;
};

}  // namespace tp::wire
