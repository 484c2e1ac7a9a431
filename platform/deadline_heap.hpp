// Deadlines of operations: a binary heap whose positions stand in the operations, so that one costs neither
// an allocation nor a timer of the system.
#pragma once

#include <vector>

#include "twinpipe/backend/op.hpp"

namespace tp::platform {

class deadline_heap {
 public:
  /// The earliest deadline, or never.
  [[nodiscard]] time_point next() const noexcept { return heap_.empty() ? never : heap_.front()->deadline; }
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

  /// An operation without a deadline is not kept.
  void add(backend::op& op) {
    if (op.deadline != never) insert(op);
  }
  /// Nothing for one that isn't here.
  void remove(backend::op& op) noexcept {
    if (op.twin.slot != 0) take_out(op);
  }
  /// Takes out the operation whose deadline is the earliest and not after `now`; null if there is none.
  [[nodiscard]] backend::op* pop_due(time_point now) noexcept;

 private:
  void insert(backend::op& op);
  void take_out(backend::op& op) noexcept;
  void sift_up(std::size_t at) noexcept;
  void sift_down(std::size_t at) noexcept;
  void place(backend::op& op, std::size_t at) noexcept;

  std::vector<backend::op*> heap_;  // twin.slot is the index plus one; 0 means not here
};

}  // namespace tp::platform
