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

bool complete_twice(backend::process& of) {
  for (handle* const each : record_of(of).handles) {
    for (backend::op* at = each->first_pending(); at != nullptr; at = at->twin.next) {
      if ((at->twin.phase & phases::is_ready) == 0) continue;
      each->queue_again(*at);
      return true;
    }
  }
  return false;
}

bool forget_reset(backend::process& of) {
  for (handle* const each : record_of(of).handles) {
    unix_socket* const at = each->socket();
    if (at != nullptr && at->take_error() != std::errc{}) return true;
  }
  return false;
}

void forget_left_sockets(backend::process& of) {
  record_of(of).on.left_sockets.clear();
}

}  // namespace tp::sim::planted
