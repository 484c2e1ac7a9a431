// The blocks of blocking connections between two calls.
#include "blocking/shared_blocks.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "async/mutex_guard.hpp"

namespace tp::detail {

shared_blocks::~shared_blocks() {
  for (shelf& each : shelves_) {
    while (each.first != nullptr)
      from_.deallocate(std::exchange(each.first, each.first->next), each.size, each.alignment);
  }
}

void shared_blocks::add_user() {
  const mutex_guard held(*lock_);
  ++users_;
}

void shared_blocks::remove_user() {
  const mutex_guard held(*lock_);
  --users_;
  for (shelf& each : shelves_) {
    if (each.made <= users_ || each.first == nullptr) continue;
    --each.made;
    --each.spare_ones;
    from_.deallocate(std::exchange(each.first, each.first->next), each.size, each.alignment);
  }
}

// Null: more sizes than there are shelves.
shared_blocks::shelf* shared_blocks::find(std::size_t bytes, std::size_t alignment) noexcept {
  for (shelf& each : shelves_) {
    if (each.size == 0) each = {.size = bytes, .alignment = alignment};
    if (each.size == bytes && each.alignment == alignment) return &each;
  }
  return nullptr;
}

// Null: one has to be made. Until each connection can have one that comes first, so that not chance decides
// when the last of them is made: how many are needed at once.
void* shared_blocks::take(std::size_t bytes, std::size_t alignment) {
  const mutex_guard held(*lock_);
  shelf* const from = find(bytes, alignment);
  if (from == nullptr) return nullptr;
  if (from->first == nullptr || from->made < std::min(users_, most)) {
    ++from->made;
    return nullptr;
  }
  --from->spare_ones;
  return std::exchange(from->first, from->first->next);
}

// False: it isn't needed here.
bool shared_blocks::keep(void* memory, std::size_t bytes, std::size_t alignment) {
  const mutex_guard held(*lock_);
  shelf* const to = find(bytes, alignment);
  if (to == nullptr) return false;
  if (to->spare_ones == most || to->made > users_) {
    --to->made;
    return false;
  }
  ++to->spare_ones;
  to->first = new (memory) spare{to->first};
  return true;
}

void* shared_blocks::do_allocate(std::size_t bytes, std::size_t alignment) {
  void* const kept = take(bytes, alignment);
  return kept != nullptr ? kept : from_.allocate(bytes, alignment);
}

void shared_blocks::do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) {
  if (!keep(memory, bytes, alignment)) from_.deallocate(memory, bytes, alignment);
}

}  // namespace tp::detail
