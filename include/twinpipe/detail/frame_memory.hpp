// Where the frames of coroutines come from: each thread keeps those that have ended for the next.
#pragma once

#include <cstddef>

namespace tp::detail {

/// Rounded up, so that another frame of about that size can have it later.
[[nodiscard]] void* allocate_frame(std::size_t size);
/// On any thread; `keep`: for the next frame of that size, within bounds, until the thread ends.
void free_frame(void* frame, std::size_t size, bool keep) noexcept;

/// Under address sanitizer every frame is the allocator's, so that the use of one that has ended is found.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool keeps_frames = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool keeps_frames = false;
#else
inline constexpr bool keeps_frames = true;
#endif
#else
inline constexpr bool keeps_frames = true;
#endif

/// The frame of a task, of which is told who wants to know how many there are.
[[nodiscard]] void* allocate_task(std::size_t size);
void free_task(void* frame, std::size_t size, bool keep) noexcept;

/// A base for the promises of tasks.
class counted_task {
 public:
  static void* operator new(std::size_t size) { return allocate_task(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    free_task(memory, size, keeps_frames);
  }
};

/// A base for operations that are made for one call, and the like.
class recycled {
 public:
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    free_frame(memory, size, keeps_frames);
  }
};

}  // namespace tp::detail
