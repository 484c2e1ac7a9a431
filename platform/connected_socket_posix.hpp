// A connected Unix socket of our own, and the system calls on it.
#pragma once

#include <sys/socket.h>

#include "call_timeout_posix.hpp"
#include "channel_posix.hpp"
#include "descriptor.hpp"
#include "reset_news_posix.hpp"

namespace tp::platform {

/// Who has the socket's open file, with its flags and timeouts.
enum class sharing : std::uint8_t { ours_alone, perhaps_others };

class connected_socket final : public channel {
 public:
  connected_socket(descriptor socket, identity peer, sharing whose = sharing::ours_alone) noexcept
      : socket_(std::move(socket)), peer_(std::move(peer)), whose_(whose) {}

  int in() const noexcept override { return socket_.get(); }
  int out() const noexcept override { return socket_.get(); }
  const identity& peer() const noexcept override { return peer_; }

  /// recv(2), recvmsg(2)
  attempt read(std::span<std::byte> into, std::span<std::byte> spill) noexcept override;
  /// send(2), sendmsg(2)
  attempt write(std::span<backend::const_buffer>& buffers) noexcept override;
  backend::status shutdown_sending() noexcept override;
  attempt drained() noexcept override;
  attempt at_end(bool others_write) noexcept override;
  void end_waits() noexcept override;
  void close() noexcept override { socket_.reset(); }

  connected_socket* make_sleep() noexcept override;
  void end_sleep() noexcept override { sleeps_ = false; }
  /// After make_sleep(). As read and write, but they sleep for as long as they are sure to return before the
  /// deadline, and until end_waits(). They read at least a byte, and don't look at_end.
  [[nodiscard]] attempt sleeping_read(std::span<std::byte> into, std::span<std::byte> spill,
                                      time_point deadline) noexcept;
  [[nodiscard]] attempt sleeping_write(std::span<backend::const_buffer>& buffers,
                                       time_point deadline) noexcept;

 private:
  [[nodiscard]] attempt read_both(std::span<std::byte> into, std::span<std::byte> spill) noexcept;
  [[gnu::cold]] void end_or_error(attempt& got) noexcept;
  [[nodiscard]] attempt write_several(std::span<backend::const_buffer>& buffers) noexcept;
  [[gnu::cold]] void note_refusal() noexcept;
  [[nodiscard]] short state_of_peer() const noexcept;
  [[nodiscard]] backend::status write_failed(int number, bool was_cut) noexcept;

  descriptor socket_;
  identity peer_;
  reset_news reset_;
  const sharing whose_;
  bool sleeps_ = false;
  call_timeout receive_timeout_{SO_RCVTIMEO};
  call_timeout send_timeout_{SO_SNDTIMEO};
};

}  // namespace tp::platform
