// The bytes that wait in one direction of a connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <span>
#include <vector>

namespace tp::sim {

/// First in, first out. Its memory grows to what once waited together, and is then used again.
class byte_queue {
 public:
  explicit byte_queue(std::pmr::memory_resource& memory) : bytes_(&memory) {}

  [[nodiscard]] bool empty() const noexcept { return taken_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - taken_; }

  void push(std::span<const std::byte> more) {
    if (taken_ > 0 && bytes_.size() + more.size() > bytes_.capacity()) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  /// As many as fit; their number.
  std::size_t pop(std::span<std::byte> into) noexcept {
    const std::size_t n = std::min(size(), into.size());
    if (n > 0) std::memcpy(into.data(), bytes_.data() + taken_, n);
    taken_ += n;
    if (empty()) clear();
    return n;
  }
  void clear() noexcept {
    bytes_.clear();
    taken_ = 0;
  }

 private:
  std::pmr::vector<std::byte> bytes_;
  std::size_t taken_ = 0;
};

}  // namespace tp::sim
