// How planted errors are done.
#include "planted.hpp"

#include <array>

#include "kernel.hpp"

namespace tp::sim::planted {

bool lose_byte(backend::process& of) {
  std::array<std::byte, 1> lost;
  for (handle* const each : record_of(of).handles) {
    unix_socket* const at = each->socket();
    if (at != nullptr && at->recv(lost).value_or(0) > 0) return true;
  }
  return false;
}

void forget_left_sockets(backend::process& of) {
  record_of(of).on.left_sockets.clear();
}

}  // namespace tp::sim::planted
