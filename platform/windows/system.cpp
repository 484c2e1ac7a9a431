// backend::system: the loop, connecting, opening acceptors, attaching streams.
#include <algorithm>
#include <cassert>
#include <utility>

#include "system.hpp"
#include "twinpipe/backend/twin.hpp"
#include "windows/errors.hpp"
#include "windows/locations.hpp"
#include "windows/loop.hpp"
#include "windows/peer.hpp"

namespace tp::platform {
namespace {

using backend::attachment;
using backend::connect_op;
using backend::op;
using backend::start;

class windows_system final : public backend::system, op_owner {
 public:
  windows_system(std::unique_ptr<event_loop> loop, std::shared_ptr<inbox> box) noexcept
      : events_(std::move(loop)), box_(std::move(box)) {}
  ~windows_system() { box_->close(); }

  [[nodiscard]] time_point now() const noexcept override { return events_->now(); }

  start sleep(op& op) override { return events_->wait(op, *this, op_kind::sleep); }
  void schedule(op& op) noexcept override { events_->schedule(op, *this); }

  start connect(connect_op& op) override {
    // CreateFile on a pipe of this machine never waits: this is the one attempt, whatever the budget and
    // deadline.
    auto reached = open_pipe(*op.name, op.level);
    if (!reached) {
      op.detail = make_text(std::string(reached.error().subject()));
      return events_->done_or_later(op, *this, op_kind::connect,
                                    {reached.error().code(), reached.error().system_cause()});
    }
    pipe_end end;
    end.handle = std::move(*reached);
    end.peer = server_of(end.handle.get());
    op.stream = std::make_unique<detached_pipe>(std::move(end));
    return events_->done_or_later(op, *this, op_kind::connect, {});
  }

  void cancel(op& op) noexcept override {
    if (undecided(op) && kind_of(op) == op_kind::sleep) events_->finish(op, {errc::cancelled});
  }

  [[nodiscard]] result<backend::acceptor_ptr> open(
      const std::shared_ptr<backend::bound_name>& name) override {
    auto pool = std::dynamic_pointer_cast<instance_pool>(name);
    if (!pool) return fail(errc::invalid_argument, operation::listen);
    return make_acceptor({*events_, box_}, std::move(pool));
  }

  [[nodiscard]] result<backend::stream_ptr> attach(backend::detached_ptr stream, attachment how) override {
    auto* pipe = dynamic_cast<detached_pipe*>(stream.get());
    if (pipe == nullptr) return fail(errc::invalid_argument);
    if (how == attachment::half_open) return make_half_open_stream({*events_, box_}, pipe->take());
    return make_established_stream(*events_, pipe->take());
  }

  backend::turn_result turn(time_point until) override { return events_->turn(until); }
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override {
    events_->on_wake(handler, context);
  }
  [[nodiscard]] std::shared_ptr<backend::waker> get_waker() override { return events_->get_waker(); }

 private:
  void retry(op&) noexcept override { assert(false && "no start is ever postponed here"); }
  void expire(op& op) noexcept override { events_->finish(op, {}); }  // slept enough
  void leave(op&) noexcept override {}

  std::unique_ptr<event_loop> events_;
  std::shared_ptr<inbox> box_;
};
static_assert(backend::implements<windows_system, backend::system>);

}  // namespace

result<std::unique_ptr<backend::system>> make_system(const backend::system_options& options) {
  auto loop = event_loop::make(options);
  if (!loop) return fail(loop);
  auto box = inbox::make(**loop);
  if (!box) return fail(box);
  return std::make_unique<windows_system>(std::move(*loop), std::move(*box));
}

}  // namespace tp::platform
