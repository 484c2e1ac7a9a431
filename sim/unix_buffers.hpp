// The buffers of a socket's receive queue, each with its charge, packed into blocks that all sockets of a
// kernel share.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <utility>

namespace tp::sim {

/// What one send put into the queue, or a piece of it. Its bytes stand behind it.
struct unix_buffer {
  std::uint32_t size;
  std::uint32_t charge;

  [[nodiscard]] std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
};

/// Blocks of 256 bytes to 64 KiB. What was given back is used again and goes to the memory resource only at
/// the end, together with all that is still in use then.
class unix_memory {
 public:
  struct block {
    block* next;
    std::uint32_t begin, end;  ///< of the buffers in it, from the block's start
    std::uint32_t size_class;

    [[nodiscard]] std::byte* at(std::uint32_t offset) noexcept {
      return reinterpret_cast<std::byte*>(this) + offset;
    }
    [[nodiscard]] std::uint32_t room() const noexcept { return (least << size_class) - end; }
  };

  explicit unix_memory(std::pmr::memory_resource& upstream) noexcept : upstream_(upstream) {}
  unix_memory(const unix_memory&) = delete;
  unix_memory& operator=(const unix_memory&) = delete;
  ~unix_memory();

  /// An empty one with room for so many bytes.
  [[nodiscard]] block* take(std::uint32_t room) {
    const std::uint32_t needed = static_cast<std::uint32_t>(sizeof(block)) + room;
    const auto size_class = static_cast<std::uint32_t>(std::bit_width((needed - 1) / least));
    block* found = free_[size_class];
    if (found == nullptr) return make(size_class);
    free_[size_class] = found->next;
    found->next = nullptr;
    found->begin = found->end = sizeof(block);
    return found;
  }
  void give(block* used) noexcept {
    used->next = free_[used->size_class];
    free_[used->size_class] = used;
  }
  /// Memory that never comes back before the end.
  [[nodiscard]] void* allocate(std::size_t size) {
    if (static_cast<std::size_t>(end_ - next_) < size) extend(size);
    return std::exchange(next_, next_ + (size + unit - 1) / unit * unit);
  }

 private:
  /// What was taken from upstream, in front of its bytes.
  struct alignas(std::max_align_t) piece {
    piece* before;
    std::size_t size;
  };
  [[nodiscard]] block* make(std::uint32_t size_class);
  void extend(std::size_t size);

  static constexpr std::uint32_t least = 256;
  static constexpr std::size_t classes = 9;

  static constexpr std::size_t unit = alignof(std::max_align_t);
  // Pieces don't grow with what there is: of a hundred thousand connections that would leave megabytes
  // unused.
  static constexpr std::size_t piece_size = std::size_t{32} << 10U;

  std::pmr::memory_resource& upstream_;
  alignas(std::max_align_t) std::array<std::byte, 1024> first_;  ///< all that a few connections need
  std::byte* next_ = first_.data();
  std::byte* end_ = first_.data() + first_.size();
  piece* last_ = nullptr;
  std::array<block*, classes> free_{};
};

/// First in, first out. Empty, it holds no memory.
class unix_buffer_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] unix_buffer* front() const noexcept {
    return first_ == nullptr ? nullptr : reinterpret_cast<unix_buffer*>(first_->at(first_->begin));
  }
  /// Of all buffers.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = 0;
    for (unix_memory::block* each = first_; each != nullptr; each = each->next) {
      for (std::uint32_t at = each->begin; at != each->end;) {
        const std::uint32_t size = reinterpret_cast<const unix_buffer*>(each->at(at))->size;
        sum += size;
        at += space_of(size);
      }
    }
    return sum;
  }
  /// A new last one, whose bytes the caller fills in.
  [[nodiscard]] unix_buffer* push(unix_memory& memory, std::uint32_t size, std::uint32_t charge) {
    const std::uint32_t needed = space_of(size);
    if (last_ == nullptr || last_->room() < needed) extend(memory, needed);
    auto* const made = new (last_->at(last_->end)) unix_buffer{size, charge};
    last_->end += needed;
    return made;
  }
  void pop(unix_memory& memory) noexcept {
    unix_memory::block* const used = first_;
    used->begin += space_of(front()->size);
    if (used->begin != used->end) return;
    first_ = used->next;
    if (first_ == nullptr) last_ = nullptr;
    memory.give(used);
  }

 private:
  static std::uint32_t space_of(std::uint32_t size) noexcept {
    constexpr std::uint32_t unit = alignof(unix_buffer);
    return static_cast<std::uint32_t>(sizeof(unix_buffer)) + (size + unit - 1) / unit * unit;
  }
  void extend(unix_memory& memory, std::uint32_t needed) {
    // A queue that is read as fast as it is written stays small; one that fills up gets fewer, larger blocks.
    constexpr std::uint32_t of_a_long_queue = 1000;
    auto* const added = memory.take(last_ == nullptr ? needed : std::max(needed, of_a_long_queue));
    (last_ == nullptr ? first_ : last_->next) = added;
    last_ = added;
  }

  unix_memory::block* first_ = nullptr;
  unix_memory::block* last_ = nullptr;
};

}  // namespace tp::sim
