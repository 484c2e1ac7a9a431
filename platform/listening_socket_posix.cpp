// The listening socket behind a bound name.
#include "listening_socket_posix.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "errors_posix.hpp"

namespace tp::platform {

result<descriptor> listening_socket::duplicate() {
  const std::scoped_lock lock(mutex_);
  if (withdrawn_) return fail(errc::closed);
  descriptor copy(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail_with(operation::listen, errno, "");
  return copy;
}

// Copies of the descriptor are open in other threads, so close(2) alone would end nothing. After shutdown(2)
// connects are refused and every copy polls readable; the flag tells the acceptors why.
void listening_socket::withdraw() noexcept {
  const std::scoped_lock lock(mutex_);
  if (withdrawn_.exchange(true)) return;
  ::shutdown(socket_.get(), SHUT_RDWR);
  while (const descriptor waiting{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)}) {
  }
  socket_.reset();
}

}  // namespace tp::platform
