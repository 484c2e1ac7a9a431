// Frames that have ended, kept by each thread for its next ones.
#include "twinpipe/detail/frame_memory.hpp"

#include <array>
#include <new>
#include <utility>

#include "twinpipe/detail/lost.hpp"

namespace tp::detail {

namespace {

constexpr std::size_t step = 64;
constexpr std::size_t largest_kept = 4096;
constexpr std::size_t bytes_kept = std::size_t{256} << 10;

struct ended_frame {
  ended_frame* next;
};

/// Without a destructor, for frames may be freed when the thread's other objects are gone already.
struct frame_cache {
  std::array<ended_frame*, largest_kept / step> of_size;
  std::size_t bytes;
  bool closed;
};
constinit thread_local frame_cache cache{};

/// Empties the cache when its thread ends.
struct cache_owner {
  ~cache_owner() {
    cache.closed = true;
    for (ended_frame*& list : cache.of_size) {
      while (list != nullptr) ::operator delete(std::exchange(list, list->next));
    }
  }
};

[[nodiscard]] constexpr std::size_t steps_of(std::size_t size) noexcept {
  return (size + step - 1) / step;
}

void keep_frame(ended_frame* frame, std::size_t steps) noexcept {
  static thread_local cache_owner owner;
  static_cast<void>(owner);
  frame->next = std::exchange(cache.of_size[steps - 1], frame);
  cache.bytes += steps * step;
}

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t steps = steps_of(size);
  if (steps * step > largest_kept) return ::operator new(size);
  ended_frame*& list = cache.of_size[steps - 1];
  if (list == nullptr) return ::operator new(steps * step);
  cache.bytes -= steps * step;
  return std::exchange(list, list->next);
}

void free_frame(void* frame, std::size_t size, bool keep) noexcept {
  const std::size_t steps = steps_of(size);
  const std::size_t bytes = steps * step;
  if (!keep || bytes > largest_kept || cache.closed || cache.bytes + bytes > bytes_kept) {
    return ::operator delete(frame);
  }
  keep_frame(new (frame) ended_frame{nullptr}, steps);
}

void* allocate_task(std::size_t size) {
  void* const made = allocate_frame(size);
  if (const auto told = when_tasks_change.load(std::memory_order_relaxed)) told(1);
  return made;
}

void free_task(void* frame, std::size_t size, bool keep) noexcept {
  if (const auto told = when_tasks_change.load(std::memory_order_relaxed)) told(-1);
  free_frame(frame, size, keep);
}

}  // namespace tp::detail
