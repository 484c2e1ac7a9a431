// Given descriptors: what they must be, and reading and writing without a signal.
#include "descriptor_pair_posix.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <limits>
#include <string>

#include "connected_socket_posix.hpp"
#include "peer_identity.hpp"
#include "vectored_posix.hpp"

namespace tp::platform {
namespace {

/// write(2) to a pipe that nobody reads raises SIGPIPE in the calling thread, and there is no flag against
/// it. So it is blocked, and taken back if it came; one that was pending before stays (signal(7),
/// sigpending(2)).
class without_sigpipe {
 public:
  without_sigpipe() noexcept {
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&only_);
    ::sigaddset(&only_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  ~without_sigpipe() {
    const int number = errno;
    if (broken_ && !was_pending_) {
      constexpr timespec no_time{};
      while (::sigtimedwait(&only_, nullptr, &no_time) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = number;
  }
  without_sigpipe(const without_sigpipe&) = delete;
  without_sigpipe& operator=(const without_sigpipe&) = delete;

  void note(ssize_t result) noexcept { broken_ = broken_ || (result < 0 && errno == EPIPE); }

 private:
  sigset_t only_{}, before_{};
  bool was_pending_ = false;
  bool broken_ = false;
};

class descriptor_pair final : public channel {
 public:
  /// `out` and `ended` empty: one descriptor for both.
  descriptor_pair(descriptor in, descriptor out, descriptor alarm, descriptor ended) noexcept
      : in_(std::move(in)), out_(std::move(out)), alarm_(std::move(alarm)), ended_(std::move(ended)) {}

  int in() const noexcept override { return in_.get(); }
  int out() const noexcept override { return out_number_; }
  int alarm() const noexcept override { return alarm_.get(); }
  int sending_ended() const noexcept override { return ended_.get(); }
  const identity& peer() const noexcept override { return peer_; }

  attempt read(std::span<std::byte> into, std::span<std::byte> spill) noexcept override;
  attempt write(std::span<backend::const_buffer>& buffers) noexcept override;
  backend::status shutdown_sending() noexcept override;
  attempt drained() noexcept override { return {.result = {errc::not_supported}}; }
  void end_waits() noexcept override { ::eventfd_write(alarm_.get(), 1); }
  void close() noexcept override {
    in_.reset();
    out_.reset();
  }

 private:
  descriptor in_, out_, alarm_, ended_;
  identity peer_;                                                // nothing is known
  std::atomic<int> out_number_ = out_ ? out_.get() : in_.get();  // another thread may wait for it
};

attempt descriptor_pair::read(std::span<std::byte> into, std::span<std::byte> spill) noexcept {
  if (into.empty() && spill.empty())
    return is_readable(in_.get()) ? attempt{} : attempt{.would_block = true, .was_short = true};
  const auto vectors = vectors_of(into, spill);
  return read_once(into.size() + spill.size(), [&] { return ::readv(in_.get(), vectors.data(), 2); });
}

attempt descriptor_pair::write(std::span<backend::const_buffer>& buffers) noexcept {
  if (out() < 0) return {.result = {errc::broken_pipe}};
  without_sigpipe quiet;
  return write_all(buffers, [&](std::span<iovec> vectors) {
    const ssize_t sent = ::writev(out(), vectors.data(), static_cast<int>(vectors.size()));
    quiet.note(sent);
    return sent;
  });
}

// A pipe ends with its last descriptor; a socket can say it, and another device has no such thing.
backend::status descriptor_pair::shutdown_sending() noexcept {
  if (ended_) {
    if (out_number_.exchange(-1) >= 0) ::eventfd_write(ended_.get(), 1);
    ::shutdown(out_.get(), SHUT_WR);  // a socket may be the one behind in(), too, which stays open
    out_.reset();
    return {};
  }
  if (::shutdown(in_.get(), SHUT_WR) == 0) return {};
  return errno == ENOTSOCK ? backend::status{errc::not_supported} : to_status(errno);
}

std::unexpected<error> unfit(errc code, int number, const descriptor& which, const std::string& why) {
  return fail_with(code, operation::none, number, "descriptor " + std::to_string(which.get()) + " " + why);
}
std::unexpected<error> unfit(const descriptor& which, const std::string& why) {
  return unfit(errc::invalid_argument, 0, which, why);
}

int socket_option(const descriptor& socket, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

result<void> check_socket(const descriptor& socket) {
  if (socket_option(socket, SO_TYPE) != SOCK_STREAM) return unfit(socket, "is no stream socket");
  if (socket_option(socket, SO_ACCEPTCONN) != 0) return unfit(socket, "is a listening socket");
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) return {};
  return unfit(errc::invalid_argument, errno, socket, "is a socket that isn't connected");
}

// Something that can be waited for: epoll(7) refuses what is always ready, as regular files are.
result<void> check(const descriptor& given, const descriptor& epoll, int forbidden_access) {
  struct stat info{};
  const int flags = given ? ::fcntl(given.get(), F_GETFL) : -1;
  if (flags < 0 || ::fstat(given.get(), &info) != 0) return unfit(given, "is not open");
  if ((flags & O_ACCMODE) == forbidden_access)
    return unfit(given, forbidden_access == O_WRONLY ? "cannot be read from" : "cannot be written to");
  epoll_event nothing{};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, given.get(), &nothing) != 0 && errno != EEXIST)
    return errno == EPERM ? unfit(given, "cannot be waited for, as a regular file cannot")
                          : unfit(to_errc(errno), errno, given, "cannot be watched");
  return S_ISSOCK(info.st_mode) ? check_socket(given) : result<void>();
}

// Not inherited, and never waiting inside a call: the latter for whoever else has this open file.
result<void> prepare(const descriptor& given) {
  const int flags = ::fcntl(given.get(), F_GETFL);
  if (flags >= 0 && ::fcntl(given.get(), F_SETFL, flags | O_NONBLOCK) == 0 &&
      ::fcntl(given.get(), F_SETFD, FD_CLOEXEC) == 0)
    return {};
  return unfit(to_errc(errno), errno, given, "cannot be made non-blocking");
}

descriptor take(backend::native_handle number) noexcept {
  constexpr backend::native_handle most = std::numeric_limits<int>::max();
  return descriptor(number < 0 || number > most ? -1 : static_cast<int>(number));
}

}  // namespace

result<backend::detached_ptr> adopt_descriptors(backend::native_handle in_number,
                                                backend::native_handle out_number) {
  const bool one = in_number == out_number;
  descriptor in = take(in_number), out = one ? descriptor() : take(out_number);
  const descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  descriptor alarm(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  descriptor ended(one ? -1 : ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !alarm || (!one && !ended)) return fail_with(operation::none, errno, "");
  if (auto fit = check(in, epoll, O_WRONLY); !fit) return fail(fit);
  if (auto fit = check(one ? in : out, epoll, O_RDONLY); !fit) return fail(fit);
  if (one && socket_option(in, SO_DOMAIN) == AF_UNIX) {
    ::fcntl(in.get(), F_SETFD, FD_CLOEXEC);
    identity peer = peer_identity(in.get());
    return detach(
        std::make_unique<connected_socket>(std::move(in), std::move(peer), sharing::perhaps_others));
  }
  if (auto ready = prepare(in); !ready) return fail(ready);
  if (!one) {
    if (auto ready = prepare(out); !ready) return fail(ready);
  }
  return detach(
      std::make_unique<descriptor_pair>(std::move(in), std::move(out), std::move(alarm), std::move(ended)));
}

}  // namespace tp::platform
