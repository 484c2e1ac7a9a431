// Accepting clients of an endpoint on one runtime.
#pragma once

#include <utility>

#include "twinpipe/awaitable.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/error.hpp"

namespace tp {

namespace detail {
class listener_state;
}

/// A handle, movable, from runtime::listen; its runtime's thread only. Several listeners, on the same or on
/// other runtimes, share an endpoint's clients and instances. Destroying it, or moving another one into it,
/// ends a pending accept with `closed`, on a later turn, and leaves its half-open clients to the other
/// listeners. One that was moved from can only be destroyed or assigned to; accept() on it aborts the
/// program.
class listener {
 public:
  explicit listener(detail::listener_state& state) noexcept;
  listener(listener&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  listener& operator=(listener&& other) noexcept;
  ~listener();

  /// Waits for a free instance, first come, first served over all threads, and then for a client whose
  /// handshake is good. Slow and refused clients don't end it and hold up nobody. One accept may be pending
  /// on a listener. Stopped or timed out, it loses no client. Errors: closed (endpoint or listener),
  /// timed_out, cancelled, operation_in_progress, no_resources (out of descriptors: free some, then accept
  /// again), not_while_impersonating, io_error.
  awaitable<result<connection>> accept();

 private:
  void reset() noexcept;
  detail::listener_state* state_;
};

}  // namespace tp
