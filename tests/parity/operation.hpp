// One step of a script: an operation on sockets, which are called by the numbers of their slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tp::test::parity {

constexpr int slots = 10;

enum class verb : std::uint8_t {
  open,      ///< a new socket with a name in `at`
  pair,      ///< socketpair(2) in `at` and `other`
  limit,     ///< SO_SNDBUF of n
  listen,    ///< a backlog of n
  connect,   ///< `at` to `other`
  accept,    ///< from `at` into `other`
  send,      ///< n bytes
  urgent,    ///< n bytes, the last one out of band
  recv,      ///< at most n bytes
  fill,      ///< sends of n bytes until one fails
  drain,     ///< receives of at most n bytes until one fails or gets nothing
  error,     ///< SO_ERROR
  shutdown,  ///< n: 1 reading, 2 writing, 3 both
  close,
};

struct operation {
  verb what;
  int at;
  int other = -1;
  std::size_t n = 0;
};

/// As a line of a script: "send 3, 700".
[[nodiscard]] std::string to_text(const operation& o);

/// What an operation came to.
struct outcome {
  int error = 0;  ///< errno of the last call
  std::size_t n = 0;
  std::size_t calls = 1;   ///< that succeeded, of fill and drain
  std::uint64_t data = 0;  ///< what was received, hashed
  bool operator==(const outcome&) const = default;
};
[[nodiscard]] std::string to_text(const outcome& o);
[[nodiscard]] std::string name_of_error(int code);

/// What can be seen of a socket without a change.
struct state {
  unsigned poll = 0;
  std::uint32_t outq = 0, inq = 0;
  unsigned told =
      0;  ///< since the operation before: POLLIN, POLLOUT as an edge-triggered epoll(7) reports them
  bool operator==(const state&) const = default;
};
[[nodiscard]] std::string to_text(const state& s);
[[nodiscard]] std::string to_text_of_poll(unsigned bits);

/// What the `call`-th send of an operation carries: never the same twice in a row.
[[nodiscard]] std::span<const std::byte> payload(const operation& o, std::size_t call);

/// Where receives put what they get, until the next one.
[[nodiscard]] std::span<std::byte> room();

constexpr std::size_t greatest_size = std::size_t{1} << 20;
constexpr std::size_t most_calls = 600;  ///< of fill and drain

}  // namespace tp::test::parity
