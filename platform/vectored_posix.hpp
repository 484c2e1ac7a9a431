// Reading and writing several spans with one system call, whichever call that is.
#pragma once

#include <poll.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <span>

#include "channel_posix.hpp"
#include "errors_posix.hpp"

namespace tp::platform {

inline constexpr std::size_t vectors_per_call = 64;

/// Runs a call until it isn't interrupted by a signal.
template <class Call>
auto uninterrupted(Call call) noexcept {
  decltype(call()) got;
  do {
    got = call();
  } while (got < 0 && errno == EINTR);
  return got;
}

[[nodiscard]] inline bool is_again(int number) noexcept {
  return number == EAGAIN || number == EWOULDBLOCK;
}

/// Whether a read would not wait.
[[nodiscard]] inline bool is_readable(int number) noexcept {
  pollfd question{number, POLLIN, 0};
  return uninterrupted([&] { return ::poll(&question, 1, 0); }) > 0;
}

/// As many of the buffers as one call takes; `total` is their size.
[[nodiscard]] inline std::span<iovec> gather(std::span<const backend::const_buffer> buffers,
                                             std::array<iovec, vectors_per_call>& vectors,
                                             std::size_t& total) noexcept {
  std::size_t count = 0;
  total = 0;
  for (const backend::const_buffer& buffer : buffers) {
    if (count == vectors.size()) break;
    vectors[count++] = {const_cast<std::byte*>(buffer.data()), buffer.size()};
    total += buffer.size();
  }
  return std::span(vectors).first(count);
}

inline void consume(std::span<backend::const_buffer>& buffers, std::size_t n) noexcept {
  while (!buffers.empty() && n >= buffers.front().size()) {
    n -= buffers.front().size();
    buffers = buffers.subspan(1);
  }
  if (n > 0) buffers.front() = buffers.front().subspan(n);
}

/// One `call()` that reads up to so many bytes; n == 0 and ok: the end.
template <class Call>
[[nodiscard]] attempt read_once(std::size_t room, Call call) noexcept {
  const ssize_t got = uninterrupted(call);
  if (got >= 0) {
    const auto n = static_cast<std::size_t>(got);
    return {.n = n, .was_short = n > 0 && n < room};
  }
  if (is_again(errno)) return {.would_block = true, .was_short = true};
  return {.result = to_status(errno)};
}

/// Into both spans, as two vectors.
[[nodiscard]] inline std::array<iovec, 2> vectors_of(std::span<std::byte> into,
                                                     std::span<std::byte> spill) noexcept {
  return {{{into.data(), into.size()}, {spill.data(), spill.size()}}};
}

/// What a write that has failed answers.
[[nodiscard, gnu::cold]] inline attempt write_refused(int number) noexcept {
  if (is_again(number)) return {.would_block = true};
  return {.result = to_status(number == ECONNRESET ? EPIPE : number)};
}

/// write_all() for a single buffer, which needs no vector: a short write means that the peer's buffer is
/// full.
template <class Call>
[[nodiscard]] attempt write_one(std::span<backend::const_buffer>& buffers, Call call) noexcept {
  backend::const_buffer& one = buffers.front();
  const ssize_t sent = uninterrupted([&] { return call(one); });
  if (sent < 0) return write_refused(errno);
  const auto n = static_cast<std::size_t>(sent);
  const bool all = n == one.size();
  one = one.subspan(n);
  if (all) buffers = {};
  return {.n = n, .would_block = !all};
}

/// `call(vectors)` until all is accepted or the kernel takes no more.
template <class Call>
[[nodiscard]] attempt write_all(std::span<backend::const_buffer>& buffers, Call call) noexcept {
  attempt total;
  std::array<iovec, vectors_per_call> storage;
  for (;;) {
    consume(buffers, 0);
    if (buffers.empty()) return total;
    std::size_t asked = 0;
    const std::span<iovec> vectors = gather(buffers, storage, asked);
    const ssize_t sent = uninterrupted([&] { return call(vectors); });
    if (sent < 0) {
      const attempt refused = write_refused(errno);
      total.would_block = refused.would_block;
      total.result = refused.result;
      return total;
    }
    const auto n = static_cast<std::size_t>(sent);
    total.n += n;
    if (n == asked && vectors.size() == buffers.size()) {
      buffers = {};
      return total;
    }
    consume(buffers, n);
    if (n < asked) {  // a short write means that the peer's buffer is full
      total.would_block = true;
      return total;
    }
  }
}

}  // namespace tp::platform
