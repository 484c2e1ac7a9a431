// Two directions of bytes over descriptors of our own, as both kinds of stream use them. It doesn't wait and
// knows no loop.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "twinpipe/backend/stream.hpp"

namespace tp::platform {

/// What one try has brought.
struct attempt {
  backend::status result{};
  std::size_t n = 0;
  bool would_block = false;
  bool was_short = false;  ///< the kernel has no more at the moment
  bool unsettled = false;  ///< see channel::drained
};

/// How long to wait between questions whether the peer has read all: no event tells.
class drain_pause {
 public:
  void restart() noexcept { next_ = first; }
  [[nodiscard]] duration next() noexcept { return std::exchange(next_, std::min(2 * next_, longest)); }

 private:
  static constexpr duration first = std::chrono::milliseconds(1), longest = std::chrono::milliseconds(20);
  duration next_ = first;
};

class connected_socket;

class channel {
 public:
  virtual ~channel() = default;

  /// What becomes readable, and what becomes writable; one number or two, of which out() is -1 once the
  /// sending direction has ended.
  [[nodiscard]] virtual int in() const noexcept = 0;
  [[nodiscard]] virtual int out() const noexcept = 0;
  /// Becomes readable when waiting has to end and in() and out() can't show it; -1: they can.
  [[nodiscard]] virtual int alarm() const noexcept { return -1; }
  /// Becomes readable when out() ends while others wait for it; -1: out() itself shows that.
  [[nodiscard]] virtual int sending_ended() const noexcept { return -1; }
  [[nodiscard]] virtual const identity& peer() const noexcept = 0;

  /// Into both spans; with both empty, whether a read would not wait.
  [[nodiscard]] virtual attempt read(std::span<std::byte> into, std::span<std::byte> spill) noexcept = 0;
  /// Until all is accepted or the kernel takes no more; the elements are consumed in place, n is what went
  /// now.
  [[nodiscard]] virtual attempt write(std::span<backend::const_buffer>& buffers) noexcept = 0;
  /// With two numbers, no loop may be watching out() any more.
  [[nodiscard]] virtual backend::status shutdown_sending() noexcept = 0;
  /// would_block: the peer has not read all. ok, connection_reset and not_supported as for drain_op. An ok
  /// is unsettled if a read or write that is still inside may have been told of a reset; when none is, the
  /// next answer is right.
  [[nodiscard]] virtual attempt drained() noexcept = 0;
  /// After a read that met the end: ok, or a reset of which nobody has told the reader. would_block: a write
  /// that is still inside will soon know.
  [[nodiscard]] virtual attempt at_end(bool /*others_write*/) noexcept { return {}; }
  /// Wakes whoever waits in poll(2) on it, without giving a descriptor back.
  virtual void end_waits() noexcept = 0;
  virtual void close() noexcept = 0;

  /// Itself, as a socket whose calls sleep in the kernel from now on; null if others may have its open file,
  /// or it is none.
  [[nodiscard]] virtual connected_socket* make_sleep() noexcept { return nullptr; }
  /// A loop is going to watch it, which may change that.
  virtual void end_sleep() noexcept {}
};
using channel_ptr = std::unique_ptr<channel>;

/// A channel as the seam hands it round.
[[nodiscard]] backend::detached_ptr detach(channel_ptr held);
/// And back; null if it isn't one of this twin.
[[nodiscard]] channel_ptr take_channel(backend::detached_ptr stream);

}  // namespace tp::platform
