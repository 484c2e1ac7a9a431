// The few large blocks that each world needs: kept by each thread of the program for its next world.
#pragma once

#include <cstddef>

namespace tp::sim {

/// Like operator new, and what was given back is used again. A small world is built and gone in a few
/// microseconds, of which an allocator for all sizes takes a good part to split and join blocks of a page.
[[nodiscard]] void* take_kept(std::size_t size);
void give_kept(void* block, std::size_t size) noexcept;

/// An allocator of such blocks.
template <class T>
struct kept_memory {
  using value_type = T;
  kept_memory() noexcept = default;
  template <class Other>
  kept_memory(const kept_memory<Other>&) noexcept {}
  [[nodiscard]] T* allocate(std::size_t n) { return static_cast<T*>(take_kept(n * sizeof(T))); }
  void deallocate(T* block, std::size_t n) noexcept { give_kept(block, n * sizeof(T)); }
  friend bool operator==(kept_memory, kept_memory) noexcept { return true; }
};

}  // namespace tp::sim
