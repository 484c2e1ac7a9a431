// A queue of operations through the links that each of them carries.
#pragma once

#include "twinpipe/backend/op.hpp"

namespace tp::detail {

/// First in, first out, circular around an operation of its own, so that a member leaves without knowing
/// which list it is in.
class op_list {
 public:
  op_list() noexcept { make_empty(); }

  [[nodiscard]] bool empty() const noexcept { return ring_.twin.next == &ring_; }

  void push(backend::op& op) noexcept {
    backend::op* last = ring_.twin.previous;
    link(*last, op);
    link(op, ring_);
  }

  /// The first, or null.
  [[nodiscard]] backend::op* pop() noexcept {
    if (empty()) return nullptr;
    backend::op& first = *ring_.twin.next;
    unlink(first);
    return &first;
  }

  static void unlink(backend::op& op) noexcept {
    link(*op.twin.previous, *op.twin.next);
    op.twin.next = op.twin.previous = nullptr;
  }

  /// Moves all of `other` to the end of this list.
  void take(op_list& other) noexcept {
    if (other.empty()) return;
    backend::op& first = *other.ring_.twin.next;
    backend::op& last = *other.ring_.twin.previous;
    link(*ring_.twin.previous, first);
    link(last, ring_);
    other.make_empty();
  }

 private:
  static void link(backend::op& before, backend::op& after) noexcept {
    before.twin.next = &after;
    after.twin.previous = &before;
  }
  void make_empty() noexcept { link(ring_, ring_); }

  backend::op ring_;
};

}  // namespace tp::detail
