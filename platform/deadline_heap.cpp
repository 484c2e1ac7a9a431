// The heap of deadlines.
#include "deadline_heap.hpp"

namespace tp::platform {

void deadline_heap::insert(backend::op& op) {
  heap_.push_back(&op);
  place(op, heap_.size() - 1);
  sift_up(heap_.size() - 1);
}

void deadline_heap::take_out(backend::op& op) noexcept {
  const std::size_t at = op.twin.slot - 1;
  op.twin.slot = 0;
  backend::op& last = *heap_.back();
  heap_.pop_back();
  if (&last == &op) return;
  place(last, at);
  sift_up(at);
  sift_down(last.twin.slot - 1);
}

backend::op* deadline_heap::pop_due(time_point now) noexcept {
  if (heap_.empty() || heap_.front()->deadline > now) return nullptr;
  backend::op* first = heap_.front();
  remove(*first);
  return first;
}

void deadline_heap::place(backend::op& op, std::size_t at) noexcept {
  heap_[at] = &op;
  op.twin.slot = at + 1;
}

void deadline_heap::sift_up(std::size_t at) noexcept {
  backend::op& op = *heap_[at];
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (heap_[parent]->deadline <= op.deadline) break;
    place(*heap_[parent], at);
    at = parent;
  }
  place(op, at);
}

void deadline_heap::sift_down(std::size_t at) noexcept {
  backend::op& op = *heap_[at];
  for (std::size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline < heap_[child]->deadline) ++child;
    if (op.deadline <= heap_[child]->deadline) break;
    place(*heap_[child], at);
    at = child;
  }
  place(op, at);
}

}  // namespace tp::platform
