// The loop: its handles, its operations, its turns.
#include "event_loop.hpp"

#include <cassert>
#include <utility>

#include "clock.hpp"
#include "event_loop_handles.hpp"
#include "fatal.hpp"
#include "loop_events.hpp"
#include "system_errors.hpp"

namespace tp::platform {
event_loop::event_loop(const backend::system_options& options)
    : loop_(options.loop != nullptr ? static_cast<uv_loop_t*>(options.loop) : &own_),
      looks_(can_look()),
      spins_(options.wait == wait_strategy::adaptive && looks_) {}

result<std::unique_ptr<event_loop>> event_loop::make(const backend::system_options& options) {
  std::unique_ptr<event_loop> loop(new event_loop(options));
  if (const int code = loop->open(); code < 0) {
    const backend::status refused = status_of_uv(code);
    return fail(refused.code, operation::start_runtime, refused.system_cause);
  }
  return loop;
}

int event_loop::open() {
  budget_ = immediate_completions_per_turn;
  if (!lent())
    if (const int code = uv_loop_init(&own_); code < 0) return code;
  if (looks_) poll_number_ = uv_backend_fd(loop_);
  handles_ = std::make_unique<handles>(*this);
  handles_->start(*loop_);
  const int code = handles_->start_async(*loop_, [](uv_async_t* handle) {
    event_loop& self = handles::owner(handle);
    self.waker_->received();
    self.woken_ = true;
    self.touch();
  });
  if (code < 0) return code;
  waker_ = std::make_shared<shared_waker>(handles_->async);
  return 0;
}

event_loop::~event_loop() {
  if (!handles_) return;
  if (completing_) detail::fatal("a runtime was destroyed inside one of its own turns");
  assert(ready_.empty() && deadlines_.empty() && "a system was destroyed while operations were pending");
  if (waker_) waker_->disconnect();
  handles::close(std::move(handles_));
  spare_polls_.clear();
  if (lent()) return;
  uv_walk(
      loop_,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) == 0)
          detail::fatal("a system was destroyed before a stream or acceptor on it");
      },
      nullptr);
  uv_run(loop_, UV_RUN_DEFAULT);
  uv_loop_close(loop_);
}

time_point event_loop::now() const noexcept {
  if (!completing_) return real_now();
  if (now_ == never) now_ = real_now();
  return now_;
}

backend::start event_loop::done_or_later(backend::op& op, op_owner& owner, op_kind kind,
                                         backend::status result, std::size_t n) noexcept {
  if (!exhausted()) return done(op, result, n);
  adopt(op, owner, kind, op_phase::waiting);
  op.begin();
  finish(op, result, n);
  return backend::start::pending;
}

backend::start event_loop::postpone(backend::op& op, op_owner& owner, op_kind kind) {
  adopt(op, owner, kind, op_phase::postponed);
  deadlines_.add(op);
  ready_.push(op);
  return op.begin();
}

void event_loop::schedule(backend::op& op, op_owner& owner) noexcept {
  adopt(op, owner, op_kind::none, op_phase::waiting);
  op.begin();
  finish(op, {});
}

void event_loop::tell_of_change() noexcept {
  if (running_) uv_stop(loop_);
  if (descriptor_ && !turning_) descriptor_->set_work(true);
}

void event_loop::add_timer(backend::op& timer, op_owner& owner, op_kind kind, time_point due) {
  timer.deadline = due;
  timer.twin.owner = &owner;
  timer.twin.kind = static_cast<std::uint8_t>(kind);
  deadlines_.add(timer);
  touch();
}

bool event_loop::settle() {
  if (!lent()) return false;
  if (completing_) detail::fatal("a runtime was destroyed inside one of its own turns");
  progressed_ = false;
  complete_all();
  return progressed_;
}

// Only on a lent loop: ours runs as long as somebody turns it.
void event_loop::keep_running(bool wanted) noexcept {
  if (!lent() || wanted == kept_running_) return;
  kept_running_ = wanted;
  handles_->keep_running(wanted);
}

result<backend::native_handle> event_loop::poll_handle() {
  if (lent()) return fail(error(errc::not_supported, operation::poll_handle).in(circumstance::lent_loop));
  if (!descriptor_) {
    auto made = make_poll_descriptor(*loop_);
    if (!made) return fail(made);
    descriptor_ = std::move(*made);
    touch();  // libuv tells the system of interest only when it polls
  }
  return descriptor_->number();
}

void event_loop::tell_descriptor() noexcept {
  descriptor_->set_work(!ready_.empty() || interest_changed_);
  descriptor_->set_deadline(deadlines_.next());
}

void event_loop::on_wake(void (*handler)(void*) noexcept, void* context) noexcept {
  wake_handler_ = handler;
  wake_context_ = context;
}

std::shared_ptr<backend::waker> event_loop::get_waker() const {
  return waker_;
}

}  // namespace tp::platform
