// Growth of tp::buffer.
#include "twinpipe/buffer.hpp"

#include <algorithm>
#include <cstring>

namespace tp {

void buffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  const std::size_t grown = std::max(capacity, capacity_ * 2);
  auto storage = std::make_unique_for_overwrite<std::byte[]>(grown);
  if (size_ > 0) std::memcpy(storage.get(), storage_.get(), size_);
  storage_ = std::move(storage);
  capacity_ = grown;
}

void buffer::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  reserve(size_ + bytes.size());
  std::memcpy(storage_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

}  // namespace tp
