// Socket addresses: short ways to long paths.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "descriptor.hpp"

namespace tp::platform {

/// unix(7): sun_path less the NUL.
inline constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

struct socket_address {
  sockaddr_un name{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&name); }
};

/// Empty if the path doesn't fit.
[[nodiscard]] std::optional<socket_address> address_of_path(std::string_view path);
[[nodiscard]] socket_address address_of_abstract(std::string_view name);

/// The path of an open file or directory as this process can name it, whatever its length and whatever
/// happened to its names since: /proc/self/fd/N. proc(5)
[[nodiscard]] std::string path_of_descriptor(int number);

/// The address of an open file or directory, with `below` (nothing, or "/name") behind it, through its
/// descriptor: the length of its path doesn't matter, and nobody can put another in its place. Without /proc
/// the plain path has to do. Empty if it doesn't fit.
[[nodiscard]] std::optional<socket_address> address_through(int number, const std::string& below,
                                                            const std::string& plain_path);

/// A stream socket that neither waits nor is inherited; empty with errno set.
[[nodiscard]] descriptor new_socket() noexcept;

/// 0 or an errno of connect(2).
[[nodiscard]] int connect_to(int socket, const socket_address& address) noexcept;

}  // namespace tp::platform
