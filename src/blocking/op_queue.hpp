// Operations in a row, linked through themselves.
#pragma once

#include "twinpipe/backend/op.hpp"

namespace tp::detail {

class op_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] backend::op* first() const noexcept { return first_; }

  void push(backend::op& op) noexcept {
    op.twin.next = nullptr;
    op.twin.previous = last_;
    (last_ != nullptr ? last_->twin.next : first_) = &op;
    last_ = &op;
  }
  /// It must be in this queue.
  void remove(backend::op& op) noexcept {
    (op.twin.previous != nullptr ? op.twin.previous->twin.next : first_) = op.twin.next;
    (op.twin.next != nullptr ? op.twin.next->twin.previous : last_) = op.twin.previous;
  }
  [[nodiscard]] backend::op* pop() noexcept {
    backend::op* const op = first_;
    if (op != nullptr) remove(*op);
    return op;
  }

 private:
  backend::op* first_ = nullptr;
  backend::op* last_ = nullptr;
};

}  // namespace tp::detail
