// libuv's descriptor (epoll, kqueue) is readable when a poll would find something.
#include "loop_events.hpp"

#include "vectored_posix.hpp"

namespace tp::platform {

bool can_look() noexcept {
  return true;
}

bool has_event(const uv_loop_t& loop) noexcept {
  return is_readable(uv_backend_fd(&loop));
}

}  // namespace tp::platform
