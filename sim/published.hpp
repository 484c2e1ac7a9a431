// What a world tells about itself while it goes on.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

namespace tp::sim {

/// Grows at its end, by one thread of the program, and may be read by another one meanwhile: what is there
/// stays where it is and isn't changed.
template <class T>
class published {
 public:
  published() = default;
  published(const published&) = delete;
  published& operator=(const published&) = delete;
  ~published() {
    clear();
    for (std::size_t i = 0; i < chunks_.size() && chunks_[i] != nullptr; ++i)
      std::allocator<T>().deallocate(chunks_[i], first_size << i);
  }

  template <class... Parts>
  T& add(Parts&&... parts) {
    const std::size_t n = count_.load(std::memory_order_relaxed);
    const auto [chunk, offset] = place_of(n);
    if (chunks_[chunk] == nullptr) chunks_[chunk] = std::allocator<T>().allocate(first_size << chunk);
    T* const made = std::construct_at(chunks_[chunk] + offset, T{std::forward<Parts>(parts)...});
    count_.store(n + 1, std::memory_order_release);
    return *made;
  }
  /// While nobody else reads.
  void clear() noexcept {
    for (std::size_t n = count_.exchange(0, std::memory_order_relaxed); n-- > 0;) {
      const auto [chunk, offset] = place_of(n);
      std::destroy_at(chunks_[chunk] + offset);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] const T& operator[](std::size_t n) const noexcept {
    const auto [chunk, offset] = place_of(n);
    return chunks_[chunk][offset];
  }

 private:
  static constexpr std::size_t first_size = 4;
  static constexpr std::pair<std::size_t, std::size_t> place_of(std::size_t n) noexcept {
    const auto chunk = static_cast<std::size_t>(std::bit_width(n / first_size + 1)) - 1;
    return {chunk, n - first_size * ((std::size_t{1} << chunk) - 1)};
  }

  std::array<T*, 28> chunks_{};  ///< each twice as large as the one before
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace tp::sim
