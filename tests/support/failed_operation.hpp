// An operation that fails without the twin being asked.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "support/seam_ledger.hpp"
#include "twinpipe/backend/system.hpp"

namespace tp::test {

/// Operations of one object that are pending until they fail: of them the twin knows nothing. Shared with
/// them, since they may outlive it.
using failing_operations = std::shared_ptr<std::vector<backend::op*>>;
[[nodiscard]] inline bool fails_soon(const failing_operations& all, const backend::op& op) {
  return std::ranges::find(*all, &op) != all->end();
}

/// Fails at once or, as the fault wants it and if there is a system, on a later turn of that. Like a true
/// result that a cancel or a close has met, the error comes all the same.
class failed_operation {
 public:
  static backend::start start(ledger& book, backend::system* system, backend::op& op, errc code,
                              failing_operations pending) {
    if (system == nullptr || !book.fails_later()) return op.finish({code});
    auto* const self = new failed_operation(book, op, code, std::move(pending));
    op.begin();
    system->schedule(self->turn_);  // its completion frees it
    return backend::start::pending;
  }

 private:
  failed_operation(ledger& book, backend::op& op, errc code, failing_operations pending) noexcept
      : op_(op), code_(code), pending_(std::move(pending)), turn_(&ended, this), counted_(book.operations) {
    pending_->push_back(&op);
  }

  static void ended(backend::op& turn) noexcept {
    const std::unique_ptr<failed_operation> self(static_cast<failed_operation*>(turn.context));
    std::erase(*self->pending_, &self->op_);
    self->op_.complete({self->code_});
  }

  backend::op& op_;
  const errc code_;
  const failing_operations pending_;
  backend::op turn_;
  const alive counted_;
};

}  // namespace tp::test
