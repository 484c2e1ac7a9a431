// What a Linux kernel counts against a Unix socket's send buffer: not bytes, but the memory of the buffers
// (skb) that hold them. A table for each kernel, because the sizes of its structures are in it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tp::sim {

/// As unix_stream_sendmsg() cuts and __alloc_skb() charges on a 64-bit machine.
struct unix_charges {
  std::uint32_t page = 4096;
  std::uint32_t shared_info = 320;      ///< in the linear part's memory, behind its bytes
  std::uint32_t object = 256;           ///< the skb itself
  std::uint32_t smallest_bucket = 512;  ///< of kmalloc(), for so little
  std::uint32_t fragments = 32'768;     ///< bytes in pages of their own, at most

  std::uint32_t default_limit = 212'992;   ///< net.core.wmem_default
  std::uint32_t greatest_asked = 212'992;  ///< net.core.wmem_max
  std::uint32_t least_limit = 4'608;       ///< SOCK_MIN_SNDBUF

  /// How much of `left` bytes the next buffer takes.
  [[nodiscard]] constexpr std::uint32_t piece(std::size_t left, std::uint32_t limit) const noexcept {
    return static_cast<std::uint32_t>(
        std::min<std::size_t>(left, std::min((limit >> 1) - 64, head() + fragments)));
  }

  /// What a buffer of so many bytes costs its sender.
  [[nodiscard]] constexpr std::uint32_t charge(std::uint32_t size) const noexcept {
    const std::uint32_t beyond = size > head() ? in_pages(size - head()) : 0;
    const std::uint32_t linear = size - std::min(size, beyond);
    return std::bit_ceil(std::max(linear + shared_info, smallest_bucket)) + object + beyond;
  }

  /// SO_SNDBUF as getsockopt(2) shows it after it was set to `asked`.
  [[nodiscard]] constexpr std::uint32_t limit_for(std::uint32_t asked) const noexcept {
    return std::max(std::min(asked, greatest_asked) * 2, least_limit);
  }

 private:
  [[nodiscard]] constexpr std::uint32_t head() const noexcept { return page - shared_info; }
  [[nodiscard]] constexpr std::uint32_t in_pages(std::uint32_t n) const noexcept {
    return (n + page - 1) / page * page;
  }
};

/// Linux 6.18 on x86_64; compared there for every size up to 80,000 bytes.
inline constexpr unix_charges linux_6_18{};

}  // namespace tp::sim
