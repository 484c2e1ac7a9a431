// Factories of the two kinds of stream.
#pragma once

#include "channel_posix.hpp"
#include "event_loop.hpp"
#include "twinpipe/backend/blocking.hpp"

namespace tp::platform {

/// On a loop; its starts answer pending when the kernel has nothing.
[[nodiscard]] result<backend::stream_ptr> make_stream(event_loop& loop, channel_ptr held);

/// On no loop; its starts wait.
[[nodiscard]] backend::blocking_stream_ptr make_blocking_stream(channel_ptr held);

}  // namespace tp::platform
