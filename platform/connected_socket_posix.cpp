// System calls on a connected Unix socket, with what the kernel does not remember for us.
#include "connected_socket_posix.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include "errors_posix.hpp"

namespace tp::platform {
namespace {

constexpr std::size_t vectors_per_call = 64;

// Runs a call until it isn't interrupted by a signal.
template <class Call>
auto uninterrupted(Call call) noexcept {
  decltype(call()) got;
  do {
    got = call();
  } while (got < 0 && errno == EINTR);
  return got;
}

bool is_again(int number) noexcept {
  return number == EAGAIN || number == EWOULDBLOCK;
}

std::span<iovec> gather(std::span<const backend::const_buffer> buffers,
                        std::array<iovec, vectors_per_call>& vectors, std::size_t& total) noexcept {
  std::size_t count = 0;
  total = 0;
  for (const backend::const_buffer& buffer : buffers) {
    if (count == vectors.size()) break;
    vectors[count++] = {const_cast<std::byte*>(buffer.data()), buffer.size()};
    total += buffer.size();
  }
  return std::span(vectors).first(count);
}

void consume(std::span<backend::const_buffer>& buffers, std::size_t n) noexcept {
  while (!buffers.empty() && n >= buffers.front().size()) {
    n -= buffers.front().size();
    buffers = buffers.subspan(1);
  }
  if (n > 0) buffers.front() = buffers.front().subspan(n);
}

}  // namespace

attempt connected_socket::read(std::span<std::byte> into, std::span<std::byte> spill) noexcept {
  const std::size_t room = into.size() + spill.size();
  if (room == 0) return readable() ? attempt{} : attempt{.would_block = true, .was_short = true};
  std::array<iovec, 2> vectors{{{into.data(), into.size()}, {spill.data(), spill.size()}}};
  // Without room for control data the kernel closes descriptors that a peer sends along, unix(7).
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = spill.empty() ? 1 : 2;
  const ssize_t got = uninterrupted([&] { return ::recvmsg(socket_.get(), &message, MSG_DONTWAIT); });
  if (got == 0) return {.result = at_end()};
  if (got > 0) {
    const auto n = static_cast<std::size_t>(got);
    return {.n = n, .was_short = n < room};
  }
  const int number = errno;
  if (is_again(number)) return {.would_block = true, .was_short = true};
  if (number == ECONNRESET) reset_seen_ = true;
  return {.result = to_status(number)};
}

bool connected_socket::readable() noexcept {
  pollfd question{socket_.get(), POLLIN, 0};
  return uninterrupted([&] { return ::poll(&question, 1, 0); }) > 0;
}

// The end of the peer's data; a reset that a drain used up comes first.
backend::status connected_socket::at_end() noexcept {
  return std::exchange(reset_owed_to_reader_, false) ? to_status(ECONNRESET) : backend::status{};
}

attempt connected_socket::write(std::span<backend::const_buffer>& buffers) noexcept {
  attempt total;
  std::array<iovec, vectors_per_call> storage;
  for (;;) {
    consume(buffers, 0);
    if (buffers.empty()) return total;
    std::size_t asked = 0;
    const std::span<iovec> vectors = gather(buffers, storage, asked);
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    const ssize_t sent =
        uninterrupted([&] { return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (sent < 0) {
      total.would_block = is_again(errno);
      if (!total.would_block) total.result = to_status(errno == ECONNRESET ? EPIPE : errno);
      return total;
    }
    const auto n = static_cast<std::size_t>(sent);
    total.n += n;
    consume(buffers, n);
    if (n < asked) {  // a short send means that the peer's buffer is full
      total.would_block = true;
      return total;
    }
  }
}

backend::status connected_socket::shutdown_sending() noexcept {
  return ::shutdown(socket_.get(), SHUT_WR) == 0 ? backend::status{} : to_status(errno);
}

void connected_socket::shutdown_both() noexcept {
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
