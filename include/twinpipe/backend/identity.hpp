// Acting with a client's rights.
#pragma once

#include "twinpipe/error.hpp"
#include "twinpipe/identity.hpp"

namespace tp::backend {

/// Switches the calling thread, and only it, to a peer's identity for access checks. The identity is that of
/// an accepted stream, with its token, or a copy that has outlived the connection.
class impersonator {
 public:
  virtual ~impersonator() = default;
  /// Whether enter() would work, found out without changing anything. Error: impersonation_denied, the
  /// subject saying why.
  [[nodiscard]] virtual result<void> check(const identity& peer) const = 0;
  /// On failure nothing has changed. impersonation_denied; operation_in_progress if this thread is in one
  /// already.
  [[nodiscard]] virtual result<void> enter(const identity& peer) = 0;
  /// Back to the process's own identity. Aborts the process if that can't be done: going on as the wrong user
  /// is worse.
  virtual void revert() noexcept = 0;
  /// Is the calling thread between enter and revert?
  [[nodiscard]] virtual bool active() const noexcept = 0;
};

}  // namespace tp::backend
