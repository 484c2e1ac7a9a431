// Accepting clients in a thread that waits.
#pragma once

#include <memory>

#include "twinpipe/blocking/connection.hpp"
#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/endpoint.hpp"
#include "twinpipe/error.hpp"

namespace tp {

namespace detail {
class blocking_listener_state;
}

namespace blocking {

/// A handle, movable, from blocking::listen; one thread at a time. Four threads that serve have four of them,
/// on one endpoint: they share its instances and clients, and with listeners of runtimes, too.
class listener {
 public:
  explicit listener(std::unique_ptr<detail::blocking_listener_state> state) noexcept;
  listener(listener&& other) noexcept;
  listener& operator=(listener&& other) noexcept;
  ~listener();

  /// See tp::listener::accept. It waits for a free instance, for clients, for the hellos of those that are
  /// slow, for endpoint::close() and for a stop, all together. `authorize` is called in this thread; with
  /// several that accept, from several at once. Clients that come while no thread accepts wait in the
  /// system's backlog. A second thread in it gets operation_in_progress.
  result<connection> accept(const limits& how = {});

 private:
  std::unique_ptr<detail::blocking_listener_state> state_;
};

}  // namespace blocking
}  // namespace tp
