// A connected Unix socket of our own, and the system calls on it.
#pragma once

#include "channel_posix.hpp"
#include "descriptor.hpp"

namespace tp::platform {

class connected_socket final : public channel {
 public:
  connected_socket(descriptor socket, identity peer) noexcept
      : socket_(std::move(socket)), peer_(std::move(peer)) {}

  int in() const noexcept override { return socket_.get(); }
  int out() const noexcept override { return socket_.get(); }
  const identity& peer() const noexcept override { return peer_; }

  /// recv(2), recvmsg(2)
  attempt read(std::span<std::byte> into, std::span<std::byte> spill) noexcept override;
  /// send(2), sendmsg(2)
  attempt write(std::span<backend::const_buffer>& buffers) noexcept override;
  backend::status shutdown_sending() noexcept override;
  attempt drained() noexcept override;
  void end_waits() noexcept override;
  void close() noexcept override { socket_.reset(); }

 private:
  [[nodiscard]] backend::status at_end() noexcept;

  descriptor socket_;
  identity peer_;
  // The kernel tells a reset once, to a read or to SO_ERROR, whichever asks first; reader and drainer both
  // need to know. Asking and noting the answer must be one step: who has two threads serialises read() and
  // drained().
  bool reset_seen_ = false;
  bool reset_owed_to_reader_ = false;
};

}  // namespace tp::platform
