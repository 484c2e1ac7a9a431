// A connected Unix socket of our own, and the system calls on it. It doesn't wait and knows no loop.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "descriptor.hpp"
#include "twinpipe/backend/stream.hpp"

namespace tp::platform {

/// What one try has brought.
struct attempt {
  backend::status result{};
  std::size_t n = 0;
  bool would_block = false;
  bool was_short = false;  ///< the kernel has no more at the moment
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

class connected_socket {
 public:
  connected_socket(descriptor socket, identity peer) noexcept
      : socket_(std::move(socket)), peer_(std::move(peer)) {}

  [[nodiscard]] int get() const noexcept { return socket_.get(); }
  [[nodiscard]] const identity& peer() const noexcept { return peer_; }

  /// recvmsg(2) into both spans; with both empty, whether a read would not wait.
  [[nodiscard]] attempt read(std::span<std::byte> into, std::span<std::byte> spill) noexcept;
  /// sendmsg(2) until all is accepted or the kernel takes no more; the elements are consumed in place, n is
  /// what went now.
  [[nodiscard]] attempt write(std::span<backend::const_buffer>& buffers) noexcept;
  [[nodiscard]] backend::status shutdown_sending() noexcept;
  /// Ends both directions without giving the descriptor back: wakes whoever waits in poll(2) on it.
  void shutdown_both() noexcept;
  /// would_block: the peer has not read all. ok and connection_reset as for drain_op.
  [[nodiscard]] attempt drained() noexcept;
  void close() noexcept { socket_.reset(); }

 private:
  [[nodiscard]] bool readable() noexcept;
  [[nodiscard]] backend::status at_end() noexcept;

  descriptor socket_;
  identity peer_;
  // The kernel tells a reset once, to a read or to SO_ERROR, whichever asks first; reader and drainer both
  // need to know. Asking and noting the answer must be one step: who has two threads serialises read() and
  // drained().
  bool reset_seen_ = false;
  bool reset_owed_to_reader_ = false;
};
using socket_ptr = std::unique_ptr<connected_socket>;

/// A socket as the seam hands it round.
[[nodiscard]] backend::detached_ptr detach(socket_ptr socket);
/// And back; null if it isn't one of this twin.
[[nodiscard]] socket_ptr take_socket(backend::detached_ptr stream);

}  // namespace tp::platform
