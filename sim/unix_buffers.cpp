// Where blocks come from.
#include "unix_buffers.hpp"

#include <algorithm>
#include <bit>

namespace tp::sim {

unix_memory::block* unix_memory::take(std::uint32_t room) {
  const std::uint32_t size = std::bit_ceil(std::max(static_cast<std::uint32_t>(sizeof(block)) + room, least));
  const auto size_class = static_cast<std::uint32_t>(std::countr_zero(size) - std::countr_zero(least));
  block* found = free_.at(size_class);
  if (found == nullptr) {
    found = static_cast<block*>(memory_.allocate(size, alignof(block)));
  } else {
    free_[size_class] = found->next;
  }
  return new (found) block{nullptr, sizeof(block), sizeof(block), size_class};
}

void unix_buffer_queue::extend(unix_memory& memory, std::uint32_t needed) {
  // A queue that is read as fast as it is written stays small; one that fills up gets fewer and larger
  // blocks.
  constexpr std::uint32_t of_a_long_queue = 1000;
  auto* const added = memory.take(last_ == nullptr ? needed : std::max(needed, of_a_long_queue));
  (last_ == nullptr ? first_ : last_->next) = added;
  last_ = added;
}

}  // namespace tp::sim
