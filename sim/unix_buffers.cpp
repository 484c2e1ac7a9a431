// Where blocks come from.
#include "unix_buffers.hpp"

namespace tp::sim {

unix_memory::block* unix_memory::make(std::uint32_t size_class) {
  void* const place = memory_.allocate(least << size_class, alignof(block));
  return new (place) block{nullptr, sizeof(block), sizeof(block), size_class};
}

}  // namespace tp::sim
