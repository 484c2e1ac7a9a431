// Whether a program touches memory that one of its pending operations still uses.
#pragma once

#include "handle.hpp"

namespace tp::sim {

/// A read's memory, all of it, is filled with a pattern while it waits, for a system may write there at any
/// time, and nobody has anything to look for in it; of a write's a sum is kept.
void watch_buffers(backend::op& o, kind what) noexcept;
/// Of a write that is watched: its first so many bytes are about to be given up, for they were accepted.
void unwatch_first(std::size_t n, backend::write_op& o) noexcept;
/// Has nobody touched it since? Before anything is moved. Of a write only what wasn't accepted so far.
[[nodiscard]] bool buffers_untouched(const backend::op& o, kind what) noexcept;

}  // namespace tp::sim
