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
[[gnu::hot]] attempt connected_socket::read(std::span<std::byte> into, std::span<std::byte> spill) noexcept {
  if (!spill.empty() || into.empty()) return read_both(into, spill);
  attempt got =
      read_once(into.size(), [&] { return ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT); });
  if (got.n == 0 && !got.would_block) end_or_error(got);
  return got;
}

attempt connected_socket::read_both(std::span<std::byte> into, std::span<std::byte> spill) noexcept {
  if (into.empty() && spill.empty())
    return is_readable(socket_.get()) ? attempt{} : attempt{.would_block = true, .was_short = true};
  attempt got = read_once(into.size() + spill.size(), [&] {
    auto vectors = vectors_of(into, spill);
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    return ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  });
  if (got.n == 0 && !got.would_block) end_or_error(got);
  return got;
}

void connected_socket::end_or_error(attempt& got) noexcept {
  if (got.result.code == errc::connection_reset) reset_.read();
  if (got.result.ok()) got = at_end(false);
}

// Others that write may have been told of a reset and not have said so yet. Only when the peer is gone do
// they come back soon: a peer that ended its own direction may let them wait.
attempt connected_socket::at_end(bool others_write) noexcept {
  if (reset_.take()) return {.result = to_status(ECONNRESET)};
  return {.would_block = others_write && (state_of_peer() & POLLHUP) != 0};
}

// poll(2) tells of a reset and doesn't take it.
short connected_socket::state_of_peer() const noexcept {
  pollfd question{socket_.get(), 0, 0};
  return uninterrupted([&] { return ::poll(&question, 1, 0); }) > 0 ? question.revents : short{0};
}

namespace {
constexpr int write_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
}  // namespace

[[gnu::hot]] attempt connected_socket::write(std::span<backend::const_buffer>& buffers) noexcept {
  if (buffers.size() != 1) return write_several(buffers);
  return write_one(buffers, [&](auto one) {
    const ssize_t sent = ::send(socket_.get(), one.data(), one.size(), write_flags);
    if (sent < 0) note_refusal();
    return sent;
  });
}

attempt connected_socket::write_several(std::span<backend::const_buffer>& buffers) noexcept {
  return write_all(buffers, [&](std::span<iovec> vectors) {
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    const ssize_t sent = ::sendmsg(socket_.get(), &message, write_flags);
    if (sent < 0) note_refusal();
    return sent;
  });
}

// errno stays what it is.
void connected_socket::note_refusal() noexcept {
  if (errno == ECONNRESET) reset_.written();
}

backend::status connected_socket::shutdown_sending() noexcept {
  return ::shutdown(socket_.get(), SHUT_WR) == 0 ? backend::status{} : to_status(errno);
}

void connected_socket::end_waits() noexcept {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

// SIOCOUTQ counts what the peer has not read. It reaches 0 also when the peer closed and threw it away; the
// kernel sets hang-up and reset before it frees the data, so asking for these second misses none.
attempt connected_socket::drained() noexcept {
  int unread = 0;
  if (::ioctl(socket_.get(), SIOCOUTQ, &unread) < 0) return {.result = to_status(errno)};
  if (unread > 0) return {.would_block = true};
  const int peer = state_of_peer();
  if ((peer & POLLERR) != 0 || reset_.known()) return {.result = to_status(ECONNRESET)};
  return {.unsettled = (peer & POLLHUP) != 0};
}

}  // namespace tp::platform
