// A completion port can't be looked at: only its poll tells what came.
#include "loop_events.hpp"

#include "poll_descriptor.hpp"

namespace tp::platform {

bool can_look() noexcept {
  return false;
}

std::span<const loop_event> poll_events(int, std::span<loop_event>, int) noexcept {
  return {};
}

bool has_event(int) noexcept {
  return false;
}

result<std::unique_ptr<poll_descriptor>> make_poll_descriptor(const uv_loop_t&) {
  return fail(errc::not_supported);
}

}  // namespace tp::platform
