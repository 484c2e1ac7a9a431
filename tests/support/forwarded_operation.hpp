// One operation on its way through a decorator to a twin and back.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "support/seam_ledger.hpp"
#include "twinpipe/backend/op.hpp"
#include "twinpipe/backend/threads.hpp"

namespace tp::test {

/// Of a twin whose threads are more than the program's: they take turns on this one. Null: none of those.
inline thread_local const backend::threads* simulated_threads = nullptr;

/// How deep each thread is in calls to the twin in which nothing may complete.
inline int& calls_into_twin() {
  thread_local std::map<std::uint64_t, int> depths;
  return depths[simulated_threads != nullptr ? simulated_threads->this_thread() : 0];
}

/// While it lives, a completion on this thread is a breach.
class within_twin {
 public:
  within_twin() { ++calls_into_twin(); }
  within_twin(const within_twin&) = delete;
  within_twin& operator=(const within_twin&) = delete;
  ~within_twin() { --calls_into_twin(); }
};

/// Stands in the operation's handler while the twin has it, and notices what a twin must not do with it.
class forwarded_operation {
 public:
  using after = void (*)(backend::op&, ledger&);

  /// `call(op)` starts it at the twin. `finished` sees the result before the core does.
  template <class Op, std::invocable<Op&> Call>
  static backend::start start(ledger& book, Op& op, Call call, after finished = nullptr) {
    if (op.pending()) book.breach("an operation was started while it was pending");
    auto note = std::make_unique<forwarded_operation>(book, op, finished);
    const within_twin inside;
    if (call(op) == backend::start::done) {
      if (op.pending()) book.breach("an operation was answered done while it was pending");
      note->give_back(op);
      return backend::start::done;
    }
    if (!op.pending()) book.breach("an operation was answered pending without being so");
    static_cast<void>(note.release());  // the completion frees it
    return backend::start::pending;
  }

  forwarded_operation(ledger& book, backend::op& op, after finished) noexcept
      : book_(book),
        handler_(op.on_done),
        context_(op.context),
        finished_(finished),
        counted_(book.operations) {
    op.on_done = &completed;
    op.context = this;
  }

 private:
  void give_back(backend::op& op) {
    op.on_done = handler_;
    op.context = context_;
    if (finished_ != nullptr) finished_(op, book_);
  }
  static void completed(backend::op& op) noexcept {
    const std::unique_ptr<forwarded_operation> self(static_cast<forwarded_operation*>(op.context));
    if (calls_into_twin() != 0) self->book_.breach("an operation completed inside a call to the twin");
    self->give_back(op);
    const auto handler = op.on_done;
    handler(op);
  }

  ledger& book_;
  const backend::op::handler handler_;
  void* const context_;
  const after finished_;
  const alive counted_;
};

}  // namespace tp::test
