// Unix domain sockets as the hand-written contenders use them. What fails ends the process.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "session.hpp"

namespace bench {

/// Owns a descriptor.
class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    descriptor taken(std::move(other));
    std::swap(number_, taken.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up("the socket's path is too long");
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

/// `kind`: 0 or SOCK_NONBLOCK.
inline descriptor listen_at(const std::string& path, int kind = 0) {
  descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | kind, 0));
  const sockaddr_un address = address_of(path);
  if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    give_up_errno("bind");
  if (::listen(made.get(), 128) != 0) give_up_errno("listen");
  return made;
}

/// On a local socket connect(2) doesn't wait unless the backlog is full.
inline descriptor connect_to(const std::string& path, int kind = 0) {
  descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | kind, 0));
  const sockaddr_un address = address_of(path);
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    give_up_errno("connect");
  return made;
}

inline descriptor accept_from(const descriptor& listener, int kind = 0) {
  const int number = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | kind);
  if (number < 0) give_up_errno("accept");
  return descriptor(number);
}

}  // namespace bench
