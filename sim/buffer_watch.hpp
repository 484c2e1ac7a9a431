// Whether a program touches memory that one of its pending operations still uses.
#pragma once

#include "handle.hpp"

namespace tp::sim {

/// A read's memory is filled with a pattern while it waits, for a system may write there at any time, and
/// nobody has anything to look for in it; of a write's memory a sum is kept. Only so many bytes at both ends
/// are looked at.
void watch_buffers(backend::op& o, kind what) noexcept;
/// Has nobody touched it since? Before anything is moved.
[[nodiscard]] bool buffers_untouched(const backend::op& o, kind what) noexcept;

}  // namespace tp::sim
