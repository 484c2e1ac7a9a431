// Calls on a connected socket that sleep in the kernel: one for each operation, and no poll(2).
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "connected_socket_posix.hpp"
#include "vectored_posix.hpp"

namespace tp::platform {
namespace {

// A message header costs the kernel a copy more than a single span does.
ssize_t receive(int socket, std::span<std::byte> into, std::span<std::byte> spill, int flags) noexcept {
  if (spill.empty()) return ::recv(socket, into.data(), into.size(), flags);
  std::array<iovec, 2> vectors{{{into.data(), into.size()}, {spill.data(), spill.size()}}};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  return ::recvmsg(socket, &message, flags);
}

ssize_t send_some(int socket, std::span<const backend::const_buffer> buffers, int flags,
                  std::size_t& asked) noexcept {
  if (buffers.size() == 1) {
    asked = buffers[0].size();
    return ::send(socket, buffers[0].data(), asked, flags);
  }
  std::array<iovec, vectors_per_call> storage;
  const std::span<iovec> vectors = gather(buffers, storage, asked);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  return ::sendmsg(socket, &message, flags);
}

}  // namespace

// Whoever else has the open file would see its flags and timeouts change.
void connected_socket::prepare_to_sleep() noexcept {
  int off = 0;
  sleeps_ = whose_ == sharing::ours_alone && ::ioctl(socket_.get(), FIONBIO, &off) == 0;
}

// Without room for control data the kernel closes descriptors that a peer sends along, unix(7); recv(2) has
// none either.
attempt connected_socket::read_or_sleep(std::span<std::byte> into, std::span<std::byte> spill,
                                        time_point deadline) noexcept {
  if (!sleeps_) return read(into, spill);
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
attempt connected_socket::write_or_sleep(std::span<backend::const_buffer>& buffers,
                                         time_point deadline) noexcept {
  if (!sleeps_) return write(buffers);
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
