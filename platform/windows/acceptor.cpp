// One thread's watch on the instances of a name.
#include <cassert>
#include <utility>

#include "twinpipe/backend/twin.hpp"
#include "windows/errors.hpp"
#include "windows/loop.hpp"

namespace tp::platform {
namespace {

using backend::accept_op;
using backend::op;
using backend::start;
using backend::status;

class pipe_acceptor final : public backend::acceptor, op_owner {
 public:
  pipe_acceptor(const thread_loop& loop, std::shared_ptr<instance_pool> pool)
      : loop_(loop),
        pool_(std::move(pool)),
        on_client_([](void* self) noexcept { static_cast<pipe_acceptor*>(self)->client(); }, this) {}

  start accept(accept_op& op) override {
    if (closed_) return op.finish({errc::closed});
    if (loop_.events.exhausted()) {
      accepting_ = &op;
      return loop_.events.postpone(op, *this, op_kind::accept);
    }
    status result;
    if (attempt(op, result)) return loop_.events.done(op, result);
    accepting_ = &op;
    return loop_.events.wait(op, *this, op_kind::accept);
  }

  void cancel(op& op) noexcept override { end({errc::cancelled}, &op); }

  void close() noexcept override {
    closed_ = true;
    end({errc::closed}, accepting_);
  }

  void release() noexcept override {
    close();
    released_ = true;
    free_when_idle();
  }

 private:
  ~pipe_acceptor() = default;

  // True: `result` is the end of the operation. False: client() will be called when it is worth another
  // attempt.
  bool attempt(accept_op& op, status& result) {
    pipe_end end;
    DWORD cause = ERROR_SUCCESS;
    switch (pool_->take(end, cause, loop_.box, on_client_)) {
      case instance_pool::answer::taken:
        op.peer_follows = end.peer_unknown;
        op.stream = std::make_unique<detached_pipe>(std::move(end));
        result = {};
        return true;
      case instance_pool::answer::withdrawn:
        result = {errc::closed};
        return true;
      case instance_pool::answer::failed:
        result = status_of(cause);
        return true;
      case instance_pool::answer::none:
        break;
    }
    return false;
  }

  void client() noexcept {
    if (accepting_ != nullptr && undecided(*accepting_)) retry(*accepting_);
  }

  void end(status with, op* op) noexcept {
    if (op == nullptr || op != accepting_ || !undecided(*op)) return;
    stop_watching();
    loop_.events.finish(*op, with);
  }

  void stop_watching() noexcept {
    pool_->forget(on_client_);
    loop_.box->withdraw(on_client_);
  }

  void free_when_idle() noexcept {
    if (released_ && accepting_ == nullptr) delete this;
  }

  void retry(op& op) noexcept override {
    status result;
    if (!attempt(static_cast<accept_op&>(op), result)) return;
    stop_watching();
    loop_.events.finish(op, result);
  }
  void expire(op& op) noexcept override { end({errc::timed_out}, &op); }
  void leave(op&) noexcept override {
    accepting_ = nullptr;
    free_when_idle();
  }

  thread_loop loop_;
  std::shared_ptr<instance_pool> pool_;
  signal on_client_;
  accept_op* accepting_ = nullptr;
  bool closed_ = false;
  bool released_ = false;
};
static_assert(backend::implements_released<pipe_acceptor, backend::acceptor>);

}  // namespace

backend::acceptor_ptr make_acceptor(const thread_loop& loop, std::shared_ptr<instance_pool> pool) {
  return backend::acceptor_ptr(new pipe_acceptor(loop, std::move(pool)));
}

}  // namespace tp::platform
