// The bytes that wait in one direction of a connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace tp::sim {

/// First in, first out. Its memory grows to what once waited together, and is then used again.
class byte_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }

  void push(std::span<const std::byte> more) {
    if (end_ + more.size() > capacity_) make_room(more.size());
    if (!more.empty()) std::memcpy(memory_.get() + end_, more.data(), more.size());
    end_ += more.size();
  }
  /// As many as fit; their number.
  std::size_t pop(std::span<std::byte> into) noexcept {
    const std::size_t n = std::min(size(), into.size());
    if (n > 0) std::memcpy(into.data(), memory_.get() + begin_, n);
    begin_ += n;
    if (empty()) begin_ = end_ = 0;
    return n;
  }
  void clear() noexcept { begin_ = end_ = 0; }

 private:
  void make_room(std::size_t more) {
    const std::size_t kept = size();
    if (kept + more > capacity_) {
      const std::size_t capacity = std::max(2 * capacity_, kept + more);
      auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity);
      if (kept > 0) std::memcpy(grown.get(), memory_.get() + begin_, kept);
      memory_ = std::move(grown);
      capacity_ = capacity;
    } else if (kept > 0) {
      std::memmove(memory_.get(), memory_.get() + begin_, kept);
    }
    begin_ = 0;
    end_ = kept;
  }

  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tp::sim
