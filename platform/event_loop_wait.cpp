// The loop before its poll: whether and how long it may wait there, and the handles that say so to libuv.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "clock.hpp"
#include "event_loop_handles.hpp"
#include "loop_events.hpp"

namespace tp::platform {

void event_loop::handles::start(uv_loop_t& on) {
  timer.data = prepare.data = check.data = idle.data = async.data = this;
  uv_timer_init(&on, &timer);
  open_ = 1;
  if (!owner_.lent()) return;
  uv_prepare_init(&on, &prepare);
  uv_check_init(&on, &check);
  uv_idle_init(&on, &idle);
  open_ += 3;
  uv_prepare_start(&prepare, [](uv_prepare_t* handle) {
    event_loop& self = owner(handle);
    self.catch_up();
    const bool awake = self.prepare_poll();
    self.keep_from_sleeping(awake);
    self.leave_poll_to_libuv(awake);
  });
  uv_check_start(&check, [](uv_check_t* handle) { owner(handle).complete_all(); });
  owner_.unref(timer);
  owner_.unref(prepare);
  owner_.unref(check);
  owner_.unref(idle);
}

int event_loop::handles::start_async(uv_loop_t& on, uv_async_cb handler) {
  if (const int code = uv_async_init(&on, &async, handler); code < 0) return code;
  ++open_;
  has_async_ = true;
  owner_.unref(async);
  return 0;
}

void event_loop::handles::keep_running(bool wanted) noexcept {
  auto* const handle = reinterpret_cast<uv_handle_t*>(&prepare);
  wanted ? uv_ref(handle) : uv_unref(handle);
}

template <class Handle>
void event_loop::handles::let_go(Handle& handle) noexcept {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) {
    auto* const self = static_cast<handles*>(closed->data);
    if (--self->open_ == 0) delete self;
  });
}

void event_loop::handles::close(std::unique_ptr<handles> all) noexcept {
  handles& self = *all.release();  // the last that closes frees them
  if (self.has_async_) self.let_go(self.async);
  if (self.owner_.lent()) {
    self.let_go(self.prepare);
    self.let_go(self.check);
    self.let_go(self.idle);
  }
  self.let_go(self.timer);
}

// A lent loop keeps the milliseconds. From libuv 1.45 on UV_RUN_ONCE asks for them after its poll only, and
// would wait once more for what has passed since the last one.
void event_loop::catch_up() noexcept {
  if (next_due() != never) uv_update_time(loop_);
}

// A lent loop has just asked for the time.
bool event_loop::may_be_due(time_point when) const noexcept {
  return when != never && (!lent() || when <= time_point(std::chrono::milliseconds(uv_now(loop_) + 1)));
}

// On a lent loop: an active idle handle makes the poll return at once.
void event_loop::keep_from_sleeping(bool awake) noexcept {
  if (awake == kept_awake_) return;
  kept_awake_ = awake;
  if (awake)
    uv_idle_start(&handles_->idle, [](uv_idle_t*) {});
  else
    uv_idle_stop(&handles_->idle);
}

void event_loop::leave_poll_to_libuv(bool awake) {
  if (!awake) arm_timer(next_due());
  interest_changed_ = descriptors_changed_ = false;
}

void event_loop::set_target(int descriptor, event_target* target) {
  if (lent()) return;
  const auto at = static_cast<std::size_t>(descriptor);
  if (at >= targets_.size()) targets_.resize(at + 1);
  targets_[at] = target;
}

// libuv counts in milliseconds of the same clock: rounded up, the poll never ends before the deadline; what
// is due already doesn't wait for the rest of its millisecond.
void event_loop::arm_timer(time_point next) {
  if (next == armed_for_) return;
  armed_for_ = next;
  if (next == never) {
    uv_timer_stop(&handles_->timer);
    return;
  }
  using std::chrono::ceil, std::chrono::milliseconds;
  const auto due = std::max<std::int64_t>(ceil<milliseconds>(next.time_since_epoch()).count(), 0);
  const std::uint64_t loop_now = uv_now(loop_);
  const auto target = static_cast<std::uint64_t>(due);
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* handle) { handles::owner(handle).timer_rang(); },
      target > loop_now ? target - loop_now : 0, 0);
}

// From libuv 1.45 on this may end the run before its poll, which is then still to be made. A lent loop's goes
// on.
void event_loop::timer_rang() noexcept {
  armed_for_ = never;
  if (!lent()) interest_changed_ = true;
  touch();
}

void event_loop::insert_source(spin_source& source) noexcept {
  source.next_source_ = sources_;
  source.previous_source_ = nullptr;
  if (sources_ != nullptr) sources_->previous_source_ = &source;
  sources_ = &source;
}

void event_loop::take_out_source(spin_source& source) noexcept {
  spin_source* const next = std::exchange(source.next_source_, nullptr);
  spin_source* const previous = std::exchange(source.previous_source_, nullptr);
  if (previous == nullptr && sources_ != &source) return;
  (previous != nullptr ? previous->next_source_ : sources_) = next;
  if (next != nullptr) next->previous_source_ = previous;
}

// A turn without libuv, if a spin finds bytes for a pending read: a conversation needs no poll. Now and then
// there is one all the same, for whatever else there is.
bool event_loop::turned_briefly() {
  constexpr unsigned most_in_a_row = 16;
  if (ready_.empty() && habit_.worth_it() && brief_turns_ < most_in_a_row) {
    keep_from_sleeping(false);
    if (spin(next_due()) && !ready_.empty()) {
      ++brief_turns_;
      complete_all();
      return true;
    }
  }
  brief_turns_ = 0;
  return false;
}

// True if the poll must not wait. It doesn't spin where the poll has something to do that isn't waiting: to
// close a handle, to run the program's timer, to tell the system of new interest, of which nobody could see
// what comes. After one that came or went such a poll is made and the spin follows, or whoever opens and
// closes connections would always sleep; after a change for one write it sleeps, and much can be written
// then. (For new interest uv_backend_timeout says 0, and yet that poll would wait.)
bool event_loop::spin(time_point next) {
  if (uv_backend_timeout(loop_) == 0) return descriptors_changed_ && habit_.worth_it();
  const time_point began = real_now();
  if (next <= began) return true;
  if (descriptors_changed_ && habit_.worth_it()) return true;
  slept_since_ = began;
  if (interest_changed_ || !habit_.worth_it()) return false;
  slept_since_ = never;
  const time_point end = std::min(began + spin_habit::bound, next);
  time_point now = began;
  bool came = false;
  for (unsigned attempt = 0; !came && now < end; ++attempt) {
    came = look(attempt);
    now = real_now();
  }
  habit_.spun(now - began, came);
  if (came || now >= next) return true;
  if (!habit_.worth_it()) slept_since_ = now;
  return false;
}

// The streams that waited last are the likeliest; a question about all descriptors costs as much as trying
// one, and comes first: so the bytes of a conversation that it sees are read here, too.
bool event_loop::look(unsigned attempt) noexcept {
  constexpr int tries = 4;
  constexpr unsigned between_questions = 8;
  const bool asks = sources_ == nullptr || attempt % between_questions == between_questions - 1;
  const bool event = asks && has_event(poll_number_);
  spin_source* source = sources_;
  for (int i = 0; i < tries && source != nullptr; ++i) {
    spin_source* const next = source->next_source_;
    source->try_now();
    source = next;
  }
  return event || !ready_.empty() || waker_->woken();
}

}  // namespace tp::platform
