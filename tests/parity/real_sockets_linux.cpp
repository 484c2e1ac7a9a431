// The running kernel's sockets, with names that it picks itself (unix(7), autobind), so that no file is left
// behind.
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "sockets.hpp"

namespace tp::test::parity {

namespace {

/// The outcome of a call that answers as system calls do.
outcome answer(ssize_t returned) {
  if (returned < 0) return {.error = errno};
  return {.n = static_cast<std::size_t>(returned)};
}

class kernel_sockets final : public sockets {
 public:
  kernel_sockets() { files_.fill(-1); }
  kernel_sockets(const kernel_sockets&) = delete;
  kernel_sockets& operator=(const kernel_sockets&) = delete;
  ~kernel_sockets() override {
    for (const int file : files_) ::close(file);
    for (const int watcher : watchers_) ::close(watcher);
  }

  outcome apply(const operation& o) override {
    const int file = files_.at(static_cast<std::size_t>(o.at));
    const auto n = static_cast<int>(o.n);
    switch (o.what) {
      case verb::open:
        return open(o.at);
      case verb::pair:
        return pair(o);
      case verb::limit:
        return answer(setsockopt(file, SOL_SOCKET, SO_SNDBUF, &n, sizeof n));
      case verb::listen:
        return answer(::listen(file, n));
      case verb::connect:
        return connect(file, o.other);
      case verb::accept:
        return keep(accept4(file, nullptr, nullptr, SOCK_NONBLOCK), o.other);
      case verb::send:
        return send(file, o, 0);
      case verb::urgent:
        return answer(::send(file, payload(o, 0).data(), o.n, MSG_NOSIGNAL | MSG_OOB));
      case verb::recv:
        return recv(file, o.n);
      case verb::fill:
        return fill(file, o);
      case verb::drain:
        return drain(file, o.n);
      case verb::error:
        return error(file);
      case verb::shutdown:
        return answer(::shutdown(file, n - 1));
      case verb::close:
        return close(o.at);
    }
    return {};
  }

  std::array<state, slots> look() override {
    collect();
    std::array<pollfd, slots> asked{};
    for (std::size_t i = 0; i < slots; ++i)
      asked.at(i) = {files_.at(i), POLLIN | POLLPRI | POLLOUT | POLLRDHUP, 0};
    ::poll(asked.data(), slots, 0);  // passes over what is closed
    std::array<state, slots> seen{};
    for (std::size_t i = 0; i < slots; ++i) {
      if (files_.at(i) < 0) continue;
      seen.at(i).poll = static_cast<unsigned>(asked.at(i).revents);
      seen.at(i).told = std::exchange(told_.at(i), 0U);
      ioctl(files_.at(i), SIOCOUTQ, &seen.at(i).outq);
      ioctl(files_.at(i), SIOCINQ, &seen.at(i).inq);
    }
    return seen;
  }

 private:
  outcome keep(int file, int slot) {
    if (file < 0) return {.error = errno};
    files_.at(static_cast<std::size_t>(slot)) = file;
    for (std::size_t which = 0; which < watchers_.size(); ++which) {
      epoll_event asked{.events = events_.at(which) | EPOLLET,
                        .data = {.u32 = static_cast<std::uint32_t>(slot)}};
      epoll_ctl(watchers_.at(which), EPOLL_CTL_ADD, file, &asked);
    }
    collect();
    told_.at(static_cast<std::size_t>(slot)) = 0;  // what it is from the beginning is no news
    return {};
  }
  outcome open(int slot) {
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_un& name = names_.at(static_cast<std::size_t>(slot));
    socklen_t& size = name_sizes_.at(static_cast<std::size_t>(slot));
    name.sun_family = AF_UNIX;
    bind(file, reinterpret_cast<const sockaddr*>(&name), sizeof name.sun_family);
    size = sizeof name;
    getsockname(file, reinterpret_cast<sockaddr*>(&name), &size);
    return keep(file, slot);
  }
  outcome pair(const operation& o) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) return {.error = errno};
    keep(ends[0], o.at);
    return keep(ends[1], o.other);
  }
  outcome connect(int file, int to) const {
    const auto at = static_cast<std::size_t>(to);
    return answer(::connect(file, reinterpret_cast<const sockaddr*>(&names_.at(at)), name_sizes_.at(at)));
  }
  static outcome send(int file, const operation& o, std::size_t call) {
    return answer(::send(file, payload(o, call).data(), o.n, MSG_NOSIGNAL));
  }
  outcome recv(int file, std::size_t n) {
    outcome got = answer(::recv(file, room().data(), n, 0));
    if (got.n > 0) got.data = hash(0, room().first(got.n));
    return got;
  }
  static outcome fill(int file, const operation& o) {
    outcome sum{.calls = 0};
    for (; sum.calls < most_calls; ++sum.calls) {
      const outcome one = send(file, o, sum.calls);
      sum.n += one.n;
      sum.error = one.error;
      if (one.error != 0) break;
    }
    return sum;
  }
  outcome drain(int file, std::size_t n) {
    outcome sum{.calls = 0};
    for (; sum.calls < most_calls; ++sum.calls) {
      const outcome one = recv(file, n);
      sum.n += one.n;
      sum.data = sum.data * 31 + one.data;
      sum.error = one.error;
      if (one.n == 0) break;
    }
    return sum;
  }
  static outcome error(int file) {
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(file, SOL_SOCKET, SO_ERROR, &code, &size);
    return {.error = code};
  }
  outcome close(int slot) {
    told_.at(static_cast<std::size_t>(slot)) = 0;
    return answer(::close(std::exchange(files_.at(static_cast<std::size_t>(slot)), -1)));
  }
  void collect() {
    for (std::size_t which = 0; which < watchers_.size(); ++which) {
      std::array<epoll_event, slots> events{};
      const int n = epoll_wait(watchers_.at(which), events.data(), slots, 0);
      for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(n))) {
        told_.at(event.data.u32) |= events_.at(which);
      }
    }
  }

  static constexpr std::array<std::uint32_t, 2> events_{EPOLLIN, EPOLLOUT};
  const std::array<int, 2> watchers_{epoll_create1(0), epoll_create1(0)};
  std::array<int, slots> files_{};
  std::array<sockaddr_un, slots> names_{};
  std::array<socklen_t, slots> name_sizes_{};
  std::array<unsigned, slots> told_{};
};

}  // namespace

std::unique_ptr<sockets> real_sockets() {
  return std::make_unique<kernel_sockets>();
}

std::string reason_to_skip() {
  utsname running{};
  uname(&running);
  const std::string_view release = running.release, machine = running.machine;
  if (release.starts_with("6.18.") && machine == "x86_64") return {};
  return "Linux " + std::string(release) + " on " + std::string(machine) +
         " is not the kernel that is modelled";
}

}  // namespace tp::test::parity
