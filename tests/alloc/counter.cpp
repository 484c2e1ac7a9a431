// The C library's allocation functions, counted: malloc(3), "the application can replace them".
#include "alloc/counter.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "support/sanitized.hpp"

#if defined(__GLIBC__) && !TWINPIPE_TEST_SANITIZED

namespace {
std::atomic<long> made = 0;
}

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) noexcept {
  made.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  made.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  made.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  made.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  made.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
void free(void* memory) noexcept {
  __libc_free(memory);
}
}

long tp::test::allocations() noexcept {
  return made.load(std::memory_order_relaxed);
}
bool tp::test::counts_allocations() noexcept {
  return true;
}

#else

long tp::test::allocations() noexcept {
  return 0;
}
bool tp::test::counts_allocations() noexcept {
  return false;
}

#endif
