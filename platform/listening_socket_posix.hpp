// A listening Unix socket that several acceptors watch, each through a descriptor of its own.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "descriptor.hpp"
#include "event_loop.hpp"
#include "twinpipe/backend/names.hpp"

namespace tp::platform {

class listening_socket {
 public:
  explicit listening_socket(descriptor socket) noexcept;

  /// A copy of the descriptor: libuv forbids two handles for one number in a loop. closed after withdraw().
  [[nodiscard]] result<descriptor> duplicate();
  [[nodiscard]] bool withdrawn() const noexcept { return withdrawn_; }
  /// Refuses who connects, wakes who watches, drops who waits in the backlog.
  void withdraw() noexcept;

 private:
  std::mutex mutex_;
  descriptor socket_;
  descriptor spare_;  // given up in withdraw(): a client can be refused only by taking it
  std::atomic<bool> withdrawn_ = false;
};

/// What the system needs of a bound name of this twin.
class listening_name : public backend::bound_name {
 public:
  [[nodiscard]] virtual std::shared_ptr<listening_socket> listening() const noexcept = 0;
};

[[nodiscard]] result<backend::acceptor_ptr> make_acceptor(event_loop& loop,
                                                          std::shared_ptr<listening_socket> socket);

}  // namespace tp::platform
