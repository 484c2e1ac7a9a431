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
namespace {

constexpr int immediate_completions_per_turn = 256;

}  // namespace

event_loop::event_loop(const backend::system_options& options)
    : loop_(options.loop != nullptr ? static_cast<uv_loop_t*>(options.loop) : &own_),
      spins_(options.wait == wait_strategy::adaptive && can_look()) {}

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

backend::start event_loop::done(backend::op& op, backend::status result, std::size_t n) noexcept {
  --budget_;
  return op.finish(result, n);
}

backend::start event_loop::done_or_later(backend::op& op, op_owner& owner, op_kind kind,
                                         backend::status result, std::size_t n) noexcept {
  if (!exhausted()) return done(op, result, n);
  adopt(op, owner, kind, op_phase::waiting);
  op.begin();
  finish(op, result, n);
  return backend::start::pending;
}

void event_loop::adopt(backend::op& op, op_owner& owner, op_kind kind, op_phase phase) noexcept {
  assert(phase_of(op) == op_phase::idle);
  op.twin.owner = &owner;
  op.twin.kind = static_cast<std::uint8_t>(kind);
  op.twin.phase = static_cast<std::uint8_t>(phase);
  if (pending_++ == 0) keep_running(true);
  touch();
}

backend::start event_loop::wait(backend::op& op, op_owner& owner, op_kind kind) {
  adopt(op, owner, kind, op_phase::waiting);
  deadlines_.add(op);
  return op.begin();
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

void event_loop::finish(backend::op& op, backend::status result, std::size_t n) noexcept {
  assert(undecided(op));
  deadlines_.remove(op);
  if (phase_of(op) == op_phase::postponed) detail::op_list::unlink(op);
  op.twin.phase = static_cast<std::uint8_t>(op_phase::finished);
  op.result = result;
  op.n = n;
  ready_.push(op);
  touch();
}

void event_loop::add_timer(backend::op& timer, op_owner& owner, op_kind kind, time_point due) {
  timer.deadline = due;
  timer.twin.owner = &owner;
  timer.twin.kind = static_cast<std::uint8_t>(kind);
  deadlines_.add(timer);
  touch();
}

// On a lent loop a run may also end because the program's handlers called uv_stop.
backend::turn_result event_loop::turn(time_point until) {
  if (completing_) detail::fatal("a runtime was turned inside one of its own turns");
  until_ = until;
  progressed_ = false;
  turning_ = true;
  if (!lent()) {
    turn_own();
  } else {
    keep_running(true);
    do {
      uv_run(loop_, UV_RUN_ONCE);
    } while (!progressed_ && !time_is_up());
    keep_running(pending_ > 0);
  }
  turning_ = false;
  until_ = never;
  if (descriptor_) tell_descriptor();
  return progressed_ ? backend::turn_result::progressed : backend::turn_result::timed_out;
}

// Whatever happens ends the run, see touch(). UV_RUN_ONCE would ask for the time and look at the timers once
// more, and handles of libuv's for before and after the poll cost more than these calls.
void event_loop::turn_own() {
  if (spins_ && turned_briefly()) return;
  do {
    const bool awake = prepare_poll();
    if (!poll_directly(awake)) run_own(awake);
    complete_all();
  } while (!progressed_ && !time_is_up());
}

void event_loop::run_own(bool awake) {
  leave_poll_to_libuv(awake);
  running_ = true;
  uv_run(loop_, awake ? UV_RUN_NOWAIT : UV_RUN_DEFAULT);
  running_ = false;
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

// After the poll. What a handler starts, schedules or cancels is for the next turn: only the list as it
// stands is delivered.
void event_loop::complete_all() {
  const bool asks_for_time = slept_since_ != never || !deadlines_.empty() || until_ != never;
  now_ = asks_for_time ? real_now() : never;
  if (slept_since_ != never)
    habit_.slept(now_ - std::exchange(slept_since_, never), woken_ || !ready_.empty());
  budget_ = immediate_completions_per_turn;
  while (backend::op* due = deadlines_.pop_due(now_)) expire(*due);
  completing_now_.take(ready_);
  completing_ = true;
  if (std::exchange(woken_, false)) {
    progressed_ = true;
    if (wake_handler_ != nullptr) wake_handler_(wake_context_);
  }
  while (backend::op* op = completing_now_.pop()) {
    if (phase_of(*op) == op_phase::finished) {
      deliver(*op);
    } else {
      keep_waiting(*op);
      static_cast<op_owner*>(op->twin.owner)->retry(*op);
    }
  }
  completing_ = false;
  if (lent()) keep_running(turning_ || pending_ > 0);
}

// A deadline that has passed still allows one attempt: a postponed start hasn't had its.
void event_loop::expire(backend::op& op) noexcept {
  auto& owner = *static_cast<op_owner*>(op.twin.owner);
  if (phase_of(op) == op_phase::postponed) {
    detail::op_list::unlink(op);
    keep_waiting(op);
    owner.retry(op);
  }
  if (phase_of(op) != op_phase::finished) owner.expire(op);
}

void event_loop::deliver(backend::op& op) noexcept {
  progressed_ = true;
  --pending_;
  op.twin.phase = static_cast<std::uint8_t>(op_phase::idle);
  static_cast<op_owner*>(op.twin.owner)->leave(op);
  op.complete(op.result, op.n);
}

void event_loop::on_wake(void (*handler)(void*) noexcept, void* context) noexcept {
  wake_handler_ = handler;
  wake_context_ = context;
}

std::shared_ptr<backend::waker> event_loop::get_waker() const {
  return waker_;
}

}  // namespace tp::platform
