// Looking at a loop without turning it.
#pragma once

#include <uv.h>

namespace tp::platform {

/// Whether this system lets us look.
[[nodiscard]] bool can_look() noexcept;

/// Whether something came that the loop's next poll will find. Of what has been armed since the last poll
/// libuv's descriptor doesn't know yet. Only if can_look().
[[nodiscard]] bool has_event(const uv_loop_t& loop) noexcept;

}  // namespace tp::platform
