// The loop: its phases, its timer, its waker.
#include "event_loop.hpp"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <mutex>
#include <utility>

#include "clock.hpp"
#include "fatal.hpp"
#include "system_errors.hpp"

namespace tp::platform {
namespace {

constexpr int immediate_completions_per_turn = 256;

template <class Handle>
uv_handle_t* base(Handle& handle) noexcept {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

template <class Handle>
event_loop& loop_of(Handle* handle) noexcept {
  return *static_cast<event_loop*>(handle->data);
}

}  // namespace

/// Outlives the loop: the handle inside is taken away before libuv closes it.
class event_loop::shared_waker final : public backend::waker {
 public:
  explicit shared_waker(uv_async_t& async) noexcept : async_(&async) {}

  void wake() noexcept override {
    if (pending_.exchange(true)) return;
    const std::scoped_lock lock(mutex_);
    if (async_ != nullptr) uv_async_send(async_);
  }
  void received() noexcept { pending_.store(false); }
  void disconnect() noexcept {
    const std::scoped_lock lock(mutex_);
    async_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> pending_ = false;
  uv_async_t* async_;
};

result<std::unique_ptr<event_loop>> event_loop::make() {
  std::unique_ptr<event_loop> loop(new event_loop);
  if (const int code = loop->open(); code < 0) {
    const backend::status refused = status_of_uv(code);
    return fail(refused.code, operation::start_runtime, refused.system_cause);
  }
  return loop;
}

int event_loop::open() {
  now_ = real_now();
  budget_ = immediate_completions_per_turn;
  if (const int code = uv_loop_init(&loop_); code < 0) {
    loop_.data = nullptr;
    return code;
  }
  loop_.data = this;
  uv_timer_init(&loop_, &timer_);
  uv_prepare_init(&loop_, &prepare_);
  uv_check_init(&loop_, &check_);
  uv_idle_init(&loop_, &idle_);
  timer_.data = prepare_.data = check_.data = idle_.data = async_.data = this;
  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { loop_of(handle).arm_timer(); });
  uv_check_start(&check_, [](uv_check_t* handle) { loop_of(handle).complete_all(); });
  const int code = uv_async_init(&loop_, &async_, [](uv_async_t* handle) {
    event_loop& self = loop_of(handle);
    self.waker_->received();
    self.woken_ = true;
  });
  if (code < 0) return code;
  waker_ = std::make_shared<shared_waker>(async_);
  return 0;
}

event_loop::~event_loop() {
  if (loop_.data == nullptr) return;
  assert(ready_.empty() && deadlines_.empty() && "a system was destroyed while operations were pending");
  uv_close(base(timer_), nullptr);
  uv_close(base(prepare_), nullptr);
  uv_close(base(check_), nullptr);
  uv_close(base(idle_), nullptr);
  if (waker_) {
    waker_->disconnect();
    uv_close(base(async_), nullptr);
  }
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) == 0)
          detail::fatal("a system was destroyed before a stream or acceptor on it");
      },
      nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

time_point event_loop::now() const noexcept {
  return completing_ ? now_ : real_now();
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
  if (phase_of(op) == op_phase::postponed) op_list::unlink(op);
  op.twin.phase = static_cast<std::uint8_t>(op_phase::finished);
  op.result = result;
  op.n = n;
  ready_.push(op);
}

void event_loop::add_timer(backend::op& timer, op_owner& owner, op_kind kind, time_point due) {
  timer.deadline = due;
  timer.twin.owner = &owner;
  timer.twin.kind = static_cast<std::uint8_t>(kind);
  deadlines_.add(timer);
}

backend::turn_result event_loop::turn(time_point until) {
  assert(!completing_ && "a completion must not turn its own loop");
  until_ = until;
  progressed_ = false;
  // complete_all() ends the run. UV_RUN_ONCE would ask for the time and look at the timers once more.
  uv_run(&loop_, UV_RUN_DEFAULT);
  until_ = never;
  return progressed_ ? backend::turn_result::progressed : backend::turn_result::timed_out;
}

// Before the clock itself is asked: libuv has just asked it, and keeps the milliseconds.
bool event_loop::may_be_due(time_point when) const noexcept {
  return when != never && when <= time_point(std::chrono::milliseconds(uv_now(&loop_) + 1));
}

// An active idle handle makes the poll return at once.
void event_loop::keep_from_sleeping(bool awake) noexcept {
  if (awake == kept_awake_) return;
  kept_awake_ = awake;
  if (awake)
    uv_idle_start(&idle_, [](uv_idle_t*) {});
  else
    uv_idle_stop(&idle_);
}

// Before the poll. libuv counts in milliseconds of the same clock: rounded up, the poll never ends before the
// deadline; what is due already doesn't wait for the rest of its millisecond.
void event_loop::arm_timer() {
  const time_point next = std::min(until_, deadlines_.next());
  keep_from_sleeping(!ready_.empty() || (may_be_due(next) && next <= real_now()));
  if (next == armed_for_) return;
  armed_for_ = next;
  if (next == never) {
    uv_timer_stop(&timer_);
    return;
  }
  using std::chrono::ceil, std::chrono::milliseconds;
  const auto due = std::max<std::int64_t>(ceil<milliseconds>(next.time_since_epoch()).count(), 0);
  const std::uint64_t loop_now = uv_now(&loop_);
  const auto target = static_cast<std::uint64_t>(due);
  uv_timer_start(
      &timer_, [](uv_timer_t* handle) { loop_of(handle).armed_for_ = never; },
      target > loop_now ? target - loop_now : 0, 0);
}

// After the poll. What a handler starts, schedules or cancels is for the next turn: only the list as it
// stands is delivered.
void event_loop::complete_all() {
  now_ = real_now();
  budget_ = immediate_completions_per_turn;
  while (backend::op* due = deadlines_.pop_due(now_)) expire(*due);
  op_list batch;
  batch.take(ready_);
  completing_ = true;
  if (std::exchange(woken_, false)) {
    progressed_ = true;
    if (wake_handler_ != nullptr) wake_handler_(wake_context_);
  }
  while (backend::op* op = batch.pop()) {
    if (phase_of(*op) == op_phase::finished) {
      deliver(*op);
    } else {
      keep_waiting(*op);
      static_cast<op_owner*>(op->twin.owner)->retry(*op);
    }
  }
  completing_ = false;
  if (progressed_ || now_ >= until_) uv_stop(&loop_);
}

// A deadline that has passed still allows one attempt: a postponed start hasn't had its.
void event_loop::expire(backend::op& op) noexcept {
  auto& owner = *static_cast<op_owner*>(op.twin.owner);
  if (phase_of(op) == op_phase::postponed) {
    op_list::unlink(op);
    keep_waiting(op);
    owner.retry(op);
  }
  if (phase_of(op) != op_phase::finished) owner.expire(op);
}

void event_loop::deliver(backend::op& op) noexcept {
  progressed_ = true;
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
