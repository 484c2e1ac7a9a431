// Who is at the other end, and who we are, in the kernel's words.
#pragma once

#include "twinpipe/identity.hpp"

namespace tp::platform {

/// Of the process that connected, or that listened, as it was at that moment.
[[nodiscard]] identity peer_identity(int socket);
[[nodiscard]] identity own_identity();
/// False for the number that stands for every user which this user namespace doesn't map.
[[nodiscard]] bool is_known_user(std::uint32_t uid);
/// Whether this kernel gives identity::process.
[[nodiscard]] bool has_exit_handles();

}  // namespace tp::platform
