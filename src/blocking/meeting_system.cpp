// The system of a blocking connect.
#include "blocking/meeting_system.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "blocking/meeting_stream.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::detail {

using backend::start;

static_assert(backend::implements<meeting_system, backend::system>);

namespace {
// What can't be interrupted looks so often whether it was stopped.
constexpr duration look_for_stop = std::chrono::milliseconds(1);
}  // namespace

meeting_system::meeting_system(backend::process& twin, std::unique_ptr<backend::system> names)
    : twin_(twin), names_(std::move(names)), waker_(std::make_shared<caller_waker>(twin.threads())) {}

meeting_system::~meeting_system() = default;

start meeting_system::sleep(backend::op& op) {
  const auto place = std::ranges::find(timers_, nullptr);
  assert(place != timers_.end() && "a connect sleeps for its deadline and for its next try");
  *place = &op;
  return op.begin();
}

void meeting_system::schedule(backend::op& op) noexcept {
  op.begin();
  finish(op, {});
}

void meeting_system::finish(backend::op& op, backend::status result, std::size_t n) noexcept {
  op.result = result;
  op.n = n;
  ready_.push(op);
}

// Where streams block no connect waits; but nobody turns this system, so it puts one off when its turn has
// had its share, and the next turn makes it. In a world a connect may be slow: one that had no answer by the
// deadline stays pending, and the deadline's own timer says what that means.
start meeting_system::connect(backend::connect_op& op) {
  backend::connect_op made([](backend::op&) noexcept {}, nullptr);
  made.name = op.name;
  made.runtime_directory = op.runtime_directory;
  made.level = op.level;
  made.expected = op.expected;
  made.deadline = deadline_;
  if (names_->connect(made) == start::pending)
    while (made.pending()) names_->turn(never);
  if (made.result.code == errc::timed_out && deadline_ <= now()) {
    late_ = &op;
    return op.begin();
  }
  op.stream = std::move(made.stream);
  op.detail = std::move(made.detail);
  return op.finish(made.result);
}

void meeting_system::cancel(backend::op& op) noexcept {
  if (&op == late_) return finish(*std::exchange(late_, nullptr), {errc::cancelled});
  const auto place = std::ranges::find(timers_, &op);
  if (place == timers_.end()) return;
  *place = nullptr;
  finish(op, {errc::cancelled});
}

result<backend::stream_ptr> meeting_system::attach(backend::detached_ptr stream, backend::attachment) {
  auto real = twin_.attach_blocking(std::move(stream));
  if (!real) return fail(real);
  return backend::stream_ptr(new meeting_stream(*this, std::move(*real)));
}

bool meeting_system::run() {
  for (bool any = false;; any = true) {
    const bool woken = waker_->woken();
    if (woken && wake_handler_ != nullptr) wake_handler_(wake_context_);
    backend::op* const op = ready_.pop();
    if (op == nullptr && !woken) return any;
    if (op != nullptr) op->complete(op->result, op->n);
  }
}

time_point meeting_system::next_due() const noexcept {
  time_point next = never;
  for (const backend::op* each : timers_)
    if (each != nullptr) next = std::min(next, each->deadline);
  return next;
}

void meeting_system::expire() {
  if (next_due() == never) return;
  const bool killed = twin_.killed();  // then no time passes any more
  const time_point now = this->now();
  for (backend::op*& each : timers_) {
    if (each == nullptr || (each->deadline > now && !killed)) continue;
    finish(*std::exchange(each, nullptr), {killed ? errc::process_killed : errc::none});
  }
}

backend::turn_result meeting_system::turn(time_point until) {
  if (run()) return backend::turn_result::progressed;
  wait(std::min(until, next_due()));
  expire();
  return run() ? backend::turn_result::progressed : backend::turn_result::timed_out;
}

void meeting_system::wait(time_point until) {
  if (stoppable_) {
    wait_for_stop(until);
  } else if (waiting_ != nullptr) {
    waiting_->go_on(until, nullptr);
  } else {
    twin_.threads().sleep_until(until);
  }
}

void meeting_system::wait_for_stop(time_point until) {
  if (interrupt_ == nullptr) {
    if (auto made = twin_.make_interrupt()) interrupt_ = std::move(*made);
  }
  if (interrupt_ == nullptr) {
    until = std::min(until, now() + look_for_stop);
    return waiting_ != nullptr ? waiting_->go_on(until, nullptr) : twin_.threads().sleep_until(until);
  }
  reachable self{.by = interrupt_.get()};
  waker_->enter(self);
  if (waiting_ != nullptr)
    waiting_->go_on(until, interrupt_.get());
  else
    static_cast<void>(interrupt_->wait(until));
  waker_->leave(self);
  interrupt_->lower();
}

void meeting_system::on_wake(void (*handler)(void*) noexcept, void* context) noexcept {
  wake_handler_ = handler;
  wake_context_ = context;
}

}  // namespace tp::detail
