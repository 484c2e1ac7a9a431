// Looking at a loop without turning it.
#pragma once

#include <span>

namespace tp::platform {

/// Whether this system lets us look.
[[nodiscard]] bool can_look() noexcept;

/// Whether something came that the loop's next poll will find; `poll_number`: what uv_backend_fd says. Of
/// what has been armed since the last poll libuv's descriptor doesn't know yet. Only if can_look().
[[nodiscard]] bool has_event(int poll_number) noexcept;

struct loop_event {
  int descriptor;
  int events;  ///< UV_READABLE, UV_WRITABLE; 0: what only libuv understands
};
/// Waits as the loop's poll would, for so many milliseconds, -1 for ever, and answers what it would find: it
/// is still there then. The same restriction. Empty: the time is up, or a signal came.
[[nodiscard]] std::span<const loop_event> poll_events(int poll_number, std::span<loop_event> into,
                                                      int timeout) noexcept;

}  // namespace tp::platform
