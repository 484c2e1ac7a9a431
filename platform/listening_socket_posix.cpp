// The listening socket behind a bound name.
#include "listening_socket_posix.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "errors_posix.hpp"

namespace tp::platform {

namespace {

// Takes the next of the backlog and drops it. 0 or an errno.
int refuse_one(const descriptor& listening) noexcept {
  const descriptor client(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return client ? 0 : errno;
}

}  // namespace

listening_socket::listening_socket(descriptor socket) noexcept
    : socket_(std::move(socket)), spare_(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0)) {}

result<descriptor> listening_socket::duplicate() {
  const std::scoped_lock lock(mutex_);
  if (withdrawn_) return fail(errc::closed);
  descriptor copy(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail_with(operation::listen, errno, "");
  return copy;
}

// Copies of the descriptor are open in other threads, so close(2) alone would end nothing. After shutdown(2)
// connects are refused and every copy polls readable; the flag tells the acceptors why. Who is in the backlog
// would wait until the last copy is closed, so it is emptied, with the spare descriptor if there is no other.
void listening_socket::withdraw() noexcept {
  const std::scoped_lock lock(mutex_);
  if (withdrawn_.exchange(true)) return;
  ::shutdown(socket_.get(), SHUT_RDWR);
  for (;;) {
    const int number = refuse_one(socket_);
    if (number == 0 || number == EINTR || number == ECONNABORTED) continue;
    if ((number != EMFILE && number != ENFILE) || !spare_) break;
    spare_.reset();
  }
  spare_.reset();
  socket_.reset();
}

}  // namespace tp::platform
