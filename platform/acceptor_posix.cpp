// One thread's watch on a listening socket.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "connected_socket_posix.hpp"
#include "errors_posix.hpp"
#include "listening_socket_posix.hpp"
#include "peer_identity.hpp"
#include "try_habit.hpp"
#include "twinpipe/backend/twin.hpp"
#include "watcher.hpp"

namespace tp::platform {
namespace {

using backend::start;
using backend::status;

class socket_acceptor final : public backend::acceptor, public watcher {
 public:
  socket_acceptor(event_loop& loop, std::shared_ptr<listening_socket> shared, descriptor own) noexcept
      : watcher(loop), shared_(std::move(shared)), own_(std::move(own)) {}
  [[nodiscard]] int open() { return watch(own_.get(), own_.get()); }

  start accept(backend::accept_op& op) override;
  void cancel(backend::op& op) noexcept override;
  void close() noexcept override;
  void release() noexcept override;

  void retry(backend::op&) noexcept override { go_on(); }
  void expire(backend::op&) noexcept override { try_and_stop(errc::timed_out); }
  void leave(backend::op&) noexcept override {
    accept_ = nullptr;
    left();
  }

 protected:
  int wanted() const noexcept override {
    return accept_ != nullptr && phase_of(*accept_) == op_phase::waiting ? UV_READABLE : 0;
  }
  int ready(int) noexcept override {
    if (wanted() != 0) {
      go_on();
      return 0;
    }
    if (shared_->withdrawn()) let_go();
    return UV_READABLE;
  }
  bool in_use() const noexcept override { return accept_ != nullptr; }

 private:
  [[nodiscard]] bool worth_a_try() noexcept;
  [[nodiscard]] attempt try_accept(backend::accept_op& op) noexcept;
  void go_on() noexcept;
  void let_go() noexcept;
  void stop(errc why) noexcept;
  void try_and_stop(errc why) noexcept;

  std::shared_ptr<listening_socket> shared_;
  descriptor own_;
  known_process last_client_;
  backend::accept_op* accept_ = nullptr;
  try_habit habit_;
};
static_assert(backend::implements_released<socket_acceptor, backend::acceptor>);

start socket_acceptor::accept(backend::accept_op& op) {
  assert(accept_ == nullptr && "one accept at a time");
  if (!watching()) return op.finish({errc::closed});
  if (loop_.exhausted()) {
    accept_ = &op;
    return loop_.postpone(op, *this, op_kind::accept);
  }
  if (worth_a_try()) {
    const attempt got = try_accept(op);
    habit_.found(!got.would_block);
    if (!got.would_block) return loop_.done(op, got.result);
  }
  accept_ = &op;
  want(UV_READABLE);
  return loop_.wait(op, *this, op_kind::accept);
}

// An accept(2) that finds nobody has made a socket in vain, and costs as much as three waits. Who comes while
// interest is armed becomes an event.
bool socket_acceptor::worth_a_try() noexcept {
  return !armed(UV_READABLE) || habit_.worth_it();
}

// Out of descriptors, the client stays in the backlog: accept4 takes the number before the connection.
attempt socket_acceptor::try_accept(backend::accept_op& op) noexcept {
  descriptor client;
  do {
    if (shared_->withdrawn()) {
      let_go();
      return {.result = {errc::closed}};
    }
    client = descriptor(::accept4(own_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  } while (!client && (errno == EINTR || errno == ECONNABORTED));
  if (!client) {
    if (errno == EAGAIN) return {.would_block = true};
    return {.result = to_status(errno)};
  }
  identity peer = peer_identity(client.get(), last_client_);
  op.stream = detach(std::make_unique<connected_socket>(std::move(client), std::move(peer)));
  return {};
}

void socket_acceptor::go_on() noexcept {
  const attempt got = try_accept(*accept_);
  if (got.would_block)
    want(UV_READABLE);
  else
    loop_.finish(*accept_, got.result);
}

// Of a name that was withdrawn: the copy of its descriptor must not keep the backlog alive.
void socket_acceptor::let_go() noexcept {
  if (!watching()) return;
  stop_watching();
  own_.reset();
}

void socket_acceptor::stop(errc why) noexcept {
  if (accept_ != nullptr && undecided(*accept_)) loop_.finish(*accept_, {why});
}

// A client that has come wins over a cancel or deadline, though the loop has not noticed it yet.
void socket_acceptor::try_and_stop(errc why) noexcept {
  if (accept_ != nullptr && undecided(*accept_)) go_on();
  stop(why);
}

void socket_acceptor::cancel(backend::op& op) noexcept {
  if (&op == accept_) try_and_stop(errc::cancelled);
}

void socket_acceptor::close() noexcept {
  let_go();
  stop(errc::closed);
}

void socket_acceptor::release() noexcept {
  close();
  free_when_idle();
}

}  // namespace

result<backend::acceptor_ptr> make_acceptor(event_loop& loop, std::shared_ptr<listening_socket> socket) {
  auto own = socket->duplicate();
  if (!own) return fail(own);
  auto acceptor = std::make_unique<socket_acceptor>(loop, std::move(socket), std::move(*own));
  if (const int number = acceptor->open(); number != 0) return fail_with(operation::listen, number, "");
  return backend::acceptor_ptr(acceptor.release());
}

}  // namespace tp::platform
