// Calls on a connected socket that sleep in the kernel: one for each operation, and no poll(2).
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "connected_socket_posix.hpp"
#include "vectored_posix.hpp"

namespace tp::platform {
namespace {

// Of a message header the kernel makes a copy, and of its vectors; of a single span it makes none.
ssize_t receive(int socket, std::span<std::byte> into, std::span<std::byte> spill, int flags) noexcept {
  if (spill.empty()) return ::recv(socket, into.data(), into.size(), flags);
  std::array<iovec, 2> vectors{{{into.data(), into.size()}, {spill.data(), spill.size()}}};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  return ::recvmsg(socket, &message, flags);
}

constexpr std::size_t joined_at_most = 4096;

// All of the buffers, or more than that.
std::size_t joined_size(std::span<const backend::const_buffer> buffers) noexcept {
  std::size_t sum = 0;
  for (const backend::const_buffer& buffer : buffers)
    if ((sum += buffer.size()) > joined_at_most) break;
  return sum;
}

// As small as a header and a short message, copying here is cheaper than describing vectors to the kernel.
ssize_t send_joined(int socket, std::span<const backend::const_buffer> buffers, int flags) noexcept {
  std::array<std::byte, joined_at_most> joined;
  auto end = joined.begin();
  for (const backend::const_buffer& buffer : buffers) end = std::ranges::copy(buffer, end).out;
  return ::send(socket, joined.data(), static_cast<std::size_t>(end - joined.begin()), flags);
}

ssize_t send_vectors(int socket, std::span<const backend::const_buffer> buffers, int flags,
                     std::size_t& asked) noexcept {
  std::array<iovec, vectors_per_call> storage;
  const std::span<iovec> vectors = gather(buffers, storage, asked);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  return ::sendmsg(socket, &message, flags);
}

ssize_t send_some(int socket, std::span<const backend::const_buffer> buffers, int flags,
                  std::size_t& asked) noexcept {
  asked = buffers.front().size();
  if (buffers.size() == 1) return ::send(socket, buffers.front().data(), asked, flags);
  asked = joined_size(buffers);
  return asked <= joined_at_most ? send_joined(socket, buffers, flags)
                                 : send_vectors(socket, buffers, flags, asked);
}

}  // namespace

// Whoever else has the open file would see its flags and timeouts change.
connected_socket* connected_socket::make_sleep() noexcept {
  int off = 0;
  if (!sleeps_) sleeps_ = whose_ == sharing::ours_alone && ::ioctl(socket_.get(), FIONBIO, &off) == 0;
  return sleeps_ ? this : nullptr;
}

// Without room for control data the kernel closes descriptors that a peer sends along, unix(7); recv(2) has
// none either.
attempt connected_socket::sleeping_read(std::span<std::byte> into, std::span<std::byte> spill,
                                        time_point deadline) noexcept {
  for (;;) {
    const bool may_sleep = receive_timeout_.fits(socket_.get(), deadline);
    const ssize_t got = receive(socket_.get(), into, spill, may_sleep ? 0 : MSG_DONTWAIT);
    if (got >= 0) return {.n = static_cast<std::size_t>(got)};
    if (errno == EINTR || (is_again(errno) && may_sleep)) continue;
    if (is_again(errno)) return {.would_block = true};
    if (errno == ECONNRESET) reset_.read();
    return {.result = to_status(errno)};
  }
}

// With a deadline the first call doesn't sleep: mostly it succeeds, and no clock was looked at.
attempt connected_socket::sleeping_write(std::span<backend::const_buffer>& buffers,
                                         time_point deadline) noexcept {
  attempt total;
  bool may_sleep = deadline == never && send_timeout_.fits(socket_.get(), never), was_cut = false;
  for (;;) {
    consume(buffers, 0);
    if (buffers.empty()) return total;
    std::size_t asked = 0;
    const int flags = MSG_NOSIGNAL | (may_sleep ? 0 : MSG_DONTWAIT);
    const ssize_t sent = send_some(socket_.get(), buffers, flags, asked);
    if (sent < 0 && !is_again(errno) && errno != EINTR) {
      total.result = write_failed(errno, was_cut);
      return total;
    }
    if (sent >= 0) {
      const auto n = static_cast<std::size_t>(sent);
      total.n += n;
      consume(buffers, n);
      if (n == asked) continue;
      was_cut = may_sleep;
    }
    may_sleep = send_timeout_.fits(socket_.get(), deadline);
    total.would_block = !may_sleep;
    if (total.would_block) return total;
  }
}

// A send that sleeps, has sent something and meets a reset takes it and tells only how much went. The next
// one says that the peer is gone. (So it does when the peer had read that much before it left: the rest it
// hasn't.)
backend::status connected_socket::write_failed(int number, bool was_cut) noexcept {
  const bool took_reset =
      number == ECONNRESET || (was_cut && (state_of_peer() & (POLLHUP | POLLERR)) == POLLHUP);
  if (took_reset) reset_.written();
  return to_status(number == ECONNRESET ? EPIPE : number);
}

}  // namespace tp::platform
