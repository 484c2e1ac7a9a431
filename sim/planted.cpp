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

}  // namespace tp::sim::planted
