// One thread's system: its loop, and what is started on it.
#include "system.hpp"

#include <utility>

#include "event_loop.hpp"
#include "listening_socket_posix.hpp"
#include "names_posix.hpp"
#include "streams.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

using backend::start;

class posix_system final : public backend::system, public op_owner {
 public:
  explicit posix_system(std::unique_ptr<event_loop> loop) noexcept : loop_(std::move(loop)) {}

  time_point now() const noexcept override { return loop_->now(); }
  start sleep(backend::op& op) override;
  void schedule(backend::op& op) noexcept override;
  start connect(backend::connect_op& op) override;
  void cancel(backend::op& op) noexcept override;
  result<backend::acceptor_ptr> open(const std::shared_ptr<backend::bound_name>& name) override;
  result<backend::stream_ptr> attach(backend::detached_ptr stream, backend::attachment how) override;
  [[gnu::hot]] backend::turn_result turn(time_point until) override { return loop_->turn(until); }
  bool settle() override { return loop_->settle(); }
  result<backend::native_handle> poll_handle() override { return loop_->poll_handle(); }
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override {
    loop_->on_wake(handler, context);
  }
  std::shared_ptr<backend::waker> get_waker() override { return loop_->get_waker(); }

  void retry(backend::op& op) noexcept override;
  void expire(backend::op& op) noexcept override;
  void leave(backend::op&) noexcept override {}

 private:
  std::unique_ptr<event_loop> loop_;
  known_socket last_server_;
};
static_assert(backend::implements<posix_system, backend::system>);

start posix_system::sleep(backend::op& op) {
  if (op.deadline <= now() && !loop_->exhausted()) return loop_->done(op, {});
  return loop_->wait(op, *this, op_kind::sleep);
}

void posix_system::schedule(backend::op& op) noexcept {
  loop_->schedule(op, *this);
}

start posix_system::connect(backend::connect_op& op) {
  if (loop_->exhausted()) return loop_->postpone(op, *this, op_kind::connect);
  return loop_->done(op, try_connect(op, last_server_));
}

void posix_system::retry(backend::op& op) noexcept {
  loop_->finish(op, try_connect(static_cast<backend::connect_op&>(op), last_server_));
}

// Of a sleep: a connect waits only while it is postponed.
void posix_system::expire(backend::op& op) noexcept {
  loop_->finish(op, {});
}

void posix_system::cancel(backend::op& op) noexcept {
  if (op.pending() && op.twin.owner == static_cast<op_owner*>(this) && undecided(op))
    loop_->finish(op, {errc::cancelled});
}

result<backend::acceptor_ptr> posix_system::open(const std::shared_ptr<backend::bound_name>& name) {
  const auto* ours = dynamic_cast<const listening_name*>(name.get());
  if (ours == nullptr) return fail(errc::invalid_argument, operation::listen);
  return make_acceptor(*loop_, ours->listening());
}

result<backend::stream_ptr> posix_system::attach(backend::detached_ptr stream, backend::attachment) {
  channel_ptr held = take_channel(std::move(stream));
  if (!held) return fail(errc::invalid_argument);
  held->end_sleep();
  return make_stream(*loop_, std::move(held));
}

}  // namespace

result<std::unique_ptr<backend::system>> make_system(const backend::system_options& options) {
  auto loop = event_loop::make(options);
  if (!loop) return fail(loop);
  return std::make_unique<posix_system>(std::move(*loop));
}

}  // namespace tp::platform
