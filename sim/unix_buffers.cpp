// Where blocks come from.
#include "unix_buffers.hpp"

namespace tp::sim {

unix_memory::~unix_memory() {
  while (last_ != nullptr) {
    piece* const gone = std::exchange(last_, last_->before);
    upstream_.deallocate(gone, gone->size, alignof(piece));
  }
}

void unix_memory::extend(std::size_t size) {
  const std::size_t whole = std::max(piece_size, sizeof(piece) + size + unit);
  auto* const made = static_cast<std::byte*>(upstream_.allocate(whole, alignof(piece)));
  last_ = new (made) piece{last_, whole};
  next_ = made + sizeof(piece);
  end_ = made + whole;
}

unix_memory::block* unix_memory::make(std::uint32_t size_class) {
  return new (allocate(std::size_t{least} << size_class))
      block{nullptr, sizeof(block), sizeof(block), size_class};
}

}  // namespace tp::sim
