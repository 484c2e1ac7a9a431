// The real clock. Its origin is that of steady_clock, which on Linux is CLOCK_MONOTONIC, as for libuv's
// uv_hrtime().
#pragma once

#include <chrono>

#include "twinpipe/time.hpp"

namespace tp::platform {

[[nodiscard]] inline time_point real_now() noexcept {
  return time_point(
      std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace tp::platform
