// Who is at the other end, and who we are, in the kernel's words.
#pragma once

#include <cstdint>
#include <memory>

#include "twinpipe/identity.hpp"

namespace tp::platform {

/// The process behind the connections of one source, as its last one told: what is accepted from one
/// listening socket by one thread, or made to one. A handle costs the system more than all else about a peer,
/// and who comes once often comes again.
class known_process {
 public:
  /// The handle, if this process lives: then nobody else can have had its number since the connection before.
  /// Null: ask the system.
  [[nodiscard]] std::shared_ptr<const process_handle> find(std::uint32_t pid) noexcept;
  void remember(std::uint32_t pid, std::shared_ptr<const process_handle> handle) noexcept;

 private:
  std::uint32_t pid_ = 0;
  std::shared_ptr<const process_handle> handle_;
};

/// Of the process that connected, or that listened, as it was at that moment.
[[nodiscard]] identity peer_identity(int socket);
/// The same, of the next connection of the source.
[[nodiscard]] identity peer_identity(int socket, known_process& source);
[[nodiscard]] identity own_identity();
/// False for the number that stands for every user which this user namespace doesn't map.
[[nodiscard]] bool is_known_user(std::uint32_t uid);
/// Whether this kernel gives identity::process.
[[nodiscard]] bool has_exit_handles();

}  // namespace tp::platform
