// The operation of the seam: intrusive, owned by the core, completed by a twin.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "twinpipe/error.hpp"
#include "twinpipe/time.hpp"

namespace tp::backend {

/// The answer of every call that starts an operation.
/// `done`: the result is in the operation and its handler is never called.
/// `pending`: the handler is called exactly once, later, from the twin's turn; never inside a start, cancel
/// or close. A twin may answer pending always, or done always; the core takes both.
enum class start : std::uint8_t { pending, done };

/// Outcome of an operation below the seam: a code and the system's cause, without text.
struct status {
  errc code = errc::none;
  int system_cause = 0;

  [[nodiscard]] bool ok() const noexcept { return code == errc::none; }
};

/// One operation in flight. It neither moves nor dies while it is pending; its links, deadline and result are
/// in it, so an operation costs no allocation. The core fills the first part, the twin the second, and the
/// third is the twin's scratch.
class op {
 public:
  using handler = void (*)(op&) noexcept;

  op() noexcept = default;
  op(handler when_done, void* owner) noexcept : on_done(when_done), context(owner) {}
  op(const op&) = delete;
  op& operator=(const op&) = delete;
  ~op() { assert(!pending_ && "an operation was destroyed while the backend still had it"); }

  handler on_done = nullptr;
  void* context = nullptr;
  /// Absolute; the twin completes the operation with timed_out. Constant while it is pending. One that has
  /// passed already still allows one attempt that doesn't wait, also for a start that the budget has put off.
  time_point deadline = never;

  status result;
  std::size_t n = 0;  ///< bytes moved

  [[nodiscard]] bool pending() const noexcept { return pending_; }

  // For twins. finish() is the answer of a start that is done; begin() that of one that is pending, ended by
  // complete().
  start finish(status s, std::size_t bytes = 0) noexcept {
    result = s;
    n = bytes;
    return start::done;
  }
  start begin() noexcept {
    assert(!pending_);
    pending_ = true;
    return start::pending;
  }
  void complete(status s, std::size_t bytes = 0) noexcept {
    assert(pending_);
    pending_ = false;
    result = s;
    n = bytes;
    on_done(*this);
  }
  /// Of a process that was killed: it never completes, and may be destroyed.
  void forget() noexcept { pending_ = false; }

  struct scratch {
    op* next = nullptr;
    op* previous = nullptr;
    void* owner = nullptr;
    std::size_t slot = 0;
    std::uint64_t sum = 0;
    std::uint8_t phase = 0;
    std::uint8_t kind = 0;
  };
  scratch twin;  ///< the core never looks at it

 private:
  bool pending_ = false;
};

}  // namespace tp::backend
