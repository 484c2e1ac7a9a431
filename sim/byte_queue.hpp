// Bytes on their way, in pieces of memory that a world uses again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <list>
#include <memory_resource>
#include <span>

namespace tp::sim {

/// First in, first out; empty, it holds no memory. A std::deque would move its bytes one by one wherever its
/// allocator isn't the standard one.
class byte_queue {
 public:
  explicit byte_queue(std::pmr::memory_resource& memory) : pieces_(&memory) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  void push(std::span<const std::byte> bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      if (pieces_.empty() || end_ == piece_size) {
        pieces_.emplace_back();
        end_ = 0;
      }
      const std::size_t n = std::min(bytes.size(), piece_size - end_);
      std::memcpy(pieces_.back().bytes.data() + end_, bytes.data(), n);
      end_ += n;
      bytes = bytes.subspan(n);
    }
  }

  /// As many as there are and fit.
  std::size_t pop(std::span<std::byte> into) {
    const std::size_t wanted = std::min(into.size(), size_);
    into = into.first(wanted);
    size_ -= wanted;
    while (!into.empty()) {
      const std::size_t n = std::min(into.size(), piece_size - begin_);
      std::memcpy(into.data(), pieces_.front().bytes.data() + begin_, n);
      into = into.subspan(n);
      begin_ += n;
      if (begin_ == piece_size) drop_first();
    }
    if (size_ == 0) clear();
    return wanted;
  }

  void clear() noexcept {
    pieces_.clear();
    begin_ = end_ = size_ = 0;
  }

 private:
  static constexpr std::size_t piece_size = 1000;
  struct piece {
    piece() noexcept {}  // not zeroed
    std::array<std::byte, piece_size> bytes;
  };

  void drop_first() noexcept {
    pieces_.pop_front();
    begin_ = 0;
  }

  std::pmr::list<piece> pieces_;
  std::size_t begin_ = 0;  ///< in the first
  std::size_t end_ = 0;    ///< in the last
  std::size_t size_ = 0;
};

}  // namespace tp::sim
