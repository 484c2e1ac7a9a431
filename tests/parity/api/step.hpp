// One step of a script: what one process does through the public API, and what it comes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "twinpipe/twinpipe.hpp"

namespace tp::test::parity::api {

enum class verb : std::uint8_t {
  bind,          ///< the name of place `at`, and listen
  unbind,        ///< endpoint::close
  accept,        ///< from the name of place `at`
  connect,       ///< to it
  send,          ///< n bytes, or a message of n
  receive,       ///< into a span of n
  receive_more,  ///< into a buffer: what is there, or a whole message
  receive_all,   ///< bytes: into spans of odd sizes, until all has come that was sent so far
  shutdown,
  drain,
  close,
  abort,
  disconnect,
  drop,       ///< the handle is destroyed
  read_file,  ///< file number n, as the client
  look,       ///< endpoint::statistics of place `at`
  stop,       ///< of the operation `at`
  crash,
  halt,    ///< a stop of all that is pending but sends, which end with their connection
  finish,  ///< all that the process has is destroyed
};
inline constexpr std::size_t verbs = static_cast<std::size_t>(verb::finish) + 1;

enum class person : std::uint8_t { own, alice, bob };

enum class style : std::uint8_t { bytes, framed, message, raw };
inline constexpr std::size_t styles = 4;
/// Of which no frames tell the other side anything.
[[nodiscard]] constexpr bool is_plain(style how) noexcept {
  return how == style::bytes || how == style::raw;
}

/// How an operation is bounded, besides by its stop.
enum class limit : std::uint8_t {
  none,
  soon,     ///< within 5 ms; the step lasts until it has ended
  ample,    ///< within a minute, where `soon` is more than it takes
  stopped,  ///< its token was stopped before
};
inline constexpr duration soon = std::chrono::milliseconds(5);

/// The options of a bind or a connect.
struct manner {
  style how = style::bytes;
  direction way = direction::duplex;
  std::uint8_t instances = 0;  ///< 0: unlimited
  std::uint8_t backlog = 128;
  access_policy::audience admits = access_policy::audience::same_user;  ///< its lists are of Alice and hers
  impersonation_level level = impersonation_level::identification;
  server_trust trust = server_trust::own_user_or_superuser;
  bool waits = false;
  std::uint32_t max_message = 1U << 20U;
  std::uint32_t max_queued = 4U << 20U;
};

/// Of an operation the number is that of its step; a connection is called by the operation that made it.
struct step {
  verb what;
  std::uint8_t process = 0;
  std::uint16_t op = 0;
  std::uint16_t at = 0;
  std::uint32_t n = 0;
  limit bound = limit::none;
  manner with{};
};
static_assert(std::is_trivially_copyable_v<step>, "it is sent to another process");

/// What an operation came to.
struct completion {
  verb what;
  std::uint16_t op = 0;
  errc code = errc::none;
  std::uint64_t n = 0;     ///< bytes; what a look has seen
  bool complete = true;    ///< receive
  bool end = false;        ///< receive
  bool discarded = false;  ///< receive
  delivery delivered{};    ///< close
  std::uint32_t peer = 3;  ///< accept, connect: the person, as a number; 3: nobody
  impersonation_level level{};
  std::uint64_t id = 0;     ///< accept, connect: the connection's
  std::uint64_t total = 0;  ///< receive: bytes, of the stream or the message so far
  std::uint64_t data = 0;   ///< and all of them, hashed
};
static_assert(std::is_trivially_copyable_v<completion>, "it comes from another process");

[[nodiscard]] std::string_view to_string(verb what) noexcept;
[[nodiscard]] std::string_view to_string(style how) noexcept;
/// "3: process 1: send 40 bytes to connection 2, within 5 ms".
[[nodiscard]] std::string to_text(const step& s);
/// In a word or two, as in the list of pairs: "broken_pipe", "end, discarded".
[[nodiscard]] std::string outcome_of(const completion& c);
[[nodiscard]] std::string to_text(const completion& c);

/// Of a connection: its operations are told apart by its style.
[[nodiscard]] constexpr bool is_of_connection(verb what) noexcept {
  return what >= verb::send && what <= verb::read_file;
}
[[nodiscard]] constexpr bool receives(verb what) noexcept {
  return what == verb::receive || what == verb::receive_more || what == verb::receive_all;
}

/// The byte at that place of what an operation sends.
[[nodiscard]] constexpr std::byte payload(std::uint16_t op, std::size_t place) noexcept {
  return static_cast<std::byte>((place * 0x9e3779b1U + op * 0x85ebca6bU + (place >> 8U)) >> 13U);
}
/// The hash of a stream, one byte further.
[[nodiscard]] constexpr std::uint64_t stirred(std::uint64_t hash, std::byte next) noexcept {
  return (hash ^ static_cast<std::uint64_t>(next)) * 0x100000001b3U + 1;
}

}  // namespace tp::test::parity::api
