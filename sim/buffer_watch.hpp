// Whether a program touches memory that one of its pending operations still uses.
#pragma once

#include "handle.hpp"

namespace tp::sim {

/// A read's memory is filled with a pattern while it waits, for a system may write there at any time, and
/// nobody has anything to look for in it.
void watch_read(backend::read_op& o, buffer_part how_much) noexcept;
/// Has nobody touched it since? Before anything is put there.
[[nodiscard]] bool is_untouched(const backend::read_op& o) noexcept;

/// Of all of a write's memory a sum is kept.
void watch_write(backend::write_op& o) noexcept;
/// Its first so many bytes are about to be given up, for they were accepted.
void unwatch_first(std::size_t n, backend::write_op& o) noexcept;
/// Has nobody touched it: what was accepted until then, and the rest since?
[[nodiscard]] bool is_untouched(const backend::write_op& o) noexcept;

/// Of any operation; one that has no memory isn't watched.
inline void watch_buffers(backend::op& o, kind what, buffer_part how_much) noexcept {
  if (what == kind::read) return watch_read(static_cast<backend::read_op&>(o), how_much);
  if (what == kind::write) watch_write(static_cast<backend::write_op&>(o));
}
[[nodiscard]] inline bool buffers_untouched(const backend::op& o, kind what) noexcept {
  if ((o.twin.phase & phases::is_watched) == 0) return true;
  return what == kind::read ? is_untouched(static_cast<const backend::read_op&>(o))
                            : is_untouched(static_cast<const backend::write_op&>(o));
}

}  // namespace tp::sim
