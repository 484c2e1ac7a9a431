// System calls on a connected Unix socket, with what the kernel does not remember for us.
#include "connected_socket_posix.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "vectored_posix.hpp"

namespace tp::platform {

// Without room for control data the kernel closes descriptors that a peer sends along, unix(7). One span is
// the common case, and recv(2) spares the kernel a message header and a vector to copy.
attempt connected_socket::read(std::span<std::byte> into, std::span<std::byte> spill) noexcept {
  if (into.empty() && spill.empty())
    return is_readable(socket_.get()) ? attempt{} : attempt{.would_block = true, .was_short = true};
  attempt got = read_once(into, spill, [&](std::span<iovec> vectors) {
    if (vectors.size() == 1)
      return ::recv(socket_.get(), vectors[0].iov_base, vectors[0].iov_len, MSG_DONTWAIT);
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    return ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  });
  if (got.result.code == errc::connection_reset) reset_seen_ = true;
  if (got.result.ok() && !got.would_block && got.n == 0) got.result = at_end();
  return got;
}

// The end of the peer's data; a reset that a drain used up comes first.
backend::status connected_socket::at_end() noexcept {
  return std::exchange(reset_owed_to_reader_, false) ? to_status(ECONNRESET) : backend::status{};
}

attempt connected_socket::write(std::span<backend::const_buffer>& buffers) noexcept {
  return write_all(buffers, [&](std::span<iovec> vectors) {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (vectors.size() == 1) return ::send(socket_.get(), vectors[0].iov_base, vectors[0].iov_len, flags);
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    return ::sendmsg(socket_.get(), &message, flags);
  });
}

backend::status connected_socket::shutdown_sending() noexcept {
  return ::shutdown(socket_.get(), SHUT_WR) == 0 ? backend::status{} : to_status(errno);
}

void connected_socket::end_waits() noexcept {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

// SIOCOUTQ counts what the peer has not read. It reaches 0 also when the peer closed and threw it away; the
// kernel sets the reset before it frees the data, so asking for the reset second misses none.
attempt connected_socket::drained() noexcept {
  int unread = 0;
  if (::ioctl(socket_.get(), SIOCOUTQ, &unread) < 0) return {.result = to_status(errno)};
  if (unread > 0) return {.would_block = true};
  int pending = 0;
  socklen_t size = sizeof pending;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &pending, &size) < 0)
    return {.result = to_status(errno)};
  if (pending == ECONNRESET) {
    reset_seen_ = true;
    reset_owed_to_reader_ = true;
  }
  return {.result = reset_seen_ ? to_status(ECONNRESET) : backend::status{}};
}

}  // namespace tp::platform
