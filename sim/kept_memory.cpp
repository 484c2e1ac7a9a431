// A thread's blocks, by size.
#include "kept_memory.hpp"

#include <array>
#include <new>

namespace tp::sim {
namespace {

/// What is kept goes with its thread, before the worlds that are static.
constinit thread_local bool gone = false;

/// A few of each of a few sizes, for worlds of one program are alike.
class kept_blocks {
 public:
  kept_blocks() = default;
  kept_blocks(const kept_blocks&) = delete;
  kept_blocks& operator=(const kept_blocks&) = delete;
  ~kept_blocks() {
    gone = true;
    for (const kept& each : all_) ::operator delete(each.block);
  }
  void* take(std::size_t size) {
    for (kept& each : all_) {
      if (each.block == nullptr || each.size != size) continue;
      void* const found = each.block;
      each.block = nullptr;
      return found;
    }
    return ::operator new(size);
  }
  void give(void* block, std::size_t size) noexcept {
    for (kept& each : all_) {
      if (each.block != nullptr) continue;
      each = {block, size};
      return;
    }
    ::operator delete(block);
  }

 private:
  struct kept {
    void* block = nullptr;
    std::size_t size = 0;
  };
  std::array<kept, 8> all_;
};

// The address sanitizer finds no use of a world that has gone in memory that was kept.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps = false;
#elif defined(__has_feature)
constexpr bool keeps = !__has_feature(address_sanitizer);
#else
constexpr bool keeps = true;
#endif

/// More than this is no small world's, and is the system's to keep.
constexpr std::size_t largest = std::size_t{16} << 10U;

kept_blocks& blocks() {
  static thread_local kept_blocks own;
  return own;
}

}  // namespace

void* take_kept(std::size_t size) {
  return keeps && !gone && size <= largest ? blocks().take(size) : ::operator new(size);
}

void give_kept(void* block, std::size_t size) noexcept {
  keeps && !gone && size <= largest ? blocks().give(block, size) : ::operator delete(block);
}

}  // namespace tp::sim
