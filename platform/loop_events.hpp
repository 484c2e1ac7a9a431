// Looking at a loop without turning it.
#pragma once

#include <uv.h>

#include <span>

namespace tp::platform {

/// Whether this system lets us look.
[[nodiscard]] bool can_look() noexcept;

/// Whether something came that the loop's next poll will find. Of what has been armed since the last poll
/// libuv's descriptor doesn't know yet. Only if can_look().
[[nodiscard]] bool has_event(const uv_loop_t& loop) noexcept;

struct loop_event {
  int descriptor;
  int events;  ///< UV_READABLE, UV_WRITABLE; 0: what only libuv understands
};
/// Waits as the loop's poll would, for so many milliseconds, -1 for ever, and answers what it would find: it
/// is still there then. The same restriction. Empty: the time is up, or a signal came.
[[nodiscard]] std::span<const loop_event> poll_events(const uv_loop_t& loop, std::span<loop_event> into,
                                                      int timeout) noexcept;

}  // namespace tp::platform
