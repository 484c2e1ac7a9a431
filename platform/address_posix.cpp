// Socket addresses.
#include "address_posix.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tp::platform {

std::optional<socket_address> address_of_path(std::string_view path) {
  if (path.size() > longest_socket_path) return {};
  socket_address address;
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.data(), path.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

// The NUL is in front, and the length says where the name ends.
socket_address address_of_abstract(std::string_view name) {
  socket_address address;
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path + 1, name.data(), name.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return address;
}

std::string path_of_descriptor(int number) {
  return "/proc/self/fd/" + std::to_string(number);
}

std::optional<socket_address> address_through(int number, const std::string& below,
                                              const std::string& plain_path) {
  const std::string through = path_of_descriptor(number);
  return address_of_path(::access(through.c_str(), F_OK) == 0 ? through + below : plain_path);
}

descriptor new_socket() noexcept {
  return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int connect_to(int socket, const socket_address& address) noexcept {
  return ::connect(socket, address.get(), address.size) == 0 ? 0 : errno;
}

}  // namespace tp::platform
