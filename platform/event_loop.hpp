// The loop behind one system: libuv for readiness, time and wake-ups; our own queue of what is to be
// completed.
//
// All completions run in one place, after everything that became ready in the poll was tried: behind the poll
// that a loop of our own makes itself or lets uv_run make, in libuv's check phase on one that a program lends
// us. They differ in who calls uv_run, and in whom our handles keep it running for.
#pragma once

#include <uv.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <vector>

#include "deadline_heap.hpp"
#include "op_list.hpp"
#include "poll_descriptor.hpp"
#include "poll_shelf.hpp"
#include "spin_habit.hpp"
#include "twinpipe/backend/system.hpp"

namespace tp::platform {

enum class op_kind : std::uint8_t { none, sleep, connect, read, write, drain, drain_tick, accept };

/// Where a pending operation is. Only `waiting` and `postponed` ones can still change their result.
enum class op_phase : std::uint8_t {
  idle,
  waiting,    ///< for readiness, a deadline or a stop
  postponed,  ///< queued: the start will be made in a later turn
  finished,   ///< queued: the result stands, the handler is to be called
};

[[nodiscard]] inline op_phase phase_of(const backend::op& op) noexcept {
  return static_cast<op_phase>(op.twin.phase);
}
[[nodiscard]] inline op_kind kind_of(const backend::op& op) noexcept {
  return static_cast<op_kind>(op.twin.kind);
}
[[nodiscard]] inline bool undecided(const backend::op& op) noexcept {
  return phase_of(op) == op_phase::waiting || phase_of(op) == op_phase::postponed;
}

/// Whoever started an operation: a stream, an acceptor, the system itself.
class op_owner {
 public:
  /// Makes the start that was postponed.
  virtual void retry(backend::op& op) noexcept = 0;
  /// Its deadline has come. An operation that was postponed has been tried before.
  virtual void expire(backend::op& op) noexcept = 0;
  /// It is about to be completed; the owner forgets it.
  virtual void leave(backend::op& op) noexcept = 0;

 protected:
  ~op_owner() = default;
};

/// What a spinning loop tries itself: a stream with a pending read.
class spin_source {
 public:
  /// A system call that doesn't wait; what it brings is finished.
  virtual void try_now() noexcept = 0;

 protected:
  ~spin_source() = default;

 private:
  friend class event_loop;
  spin_source* next_source_ = nullptr;
  spin_source* previous_source_ = nullptr;
};

struct event_target;

/// Whoever watches descriptors.
class event_owner : public op_owner {
 public:
  /// Tries the operations that wait for these events. Those for which none does.
  virtual int ready(int events) noexcept = 0;
  /// Isn't to be told of these any more.
  virtual void disarm(event_target& of, int unwanted) noexcept = 0;

 protected:
  ~event_owner() = default;
};

/// Who is told of a descriptor's events.
struct event_target {
  event_owner* owner = nullptr;
  bool open = false;

  void on_event(int events) noexcept {
    const int unwanted = owner->ready(events);
    if (unwanted != 0 && open) owner->disarm(*this, unwanted);
  }
};

class event_loop {
 public:
  [[nodiscard]] static result<std::unique_ptr<event_loop>> make(const backend::system_options& options);
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  /// No operation may be pending. Objects that were released are freed here at the latest; on a lent loop,
  /// where it closes its handles next.
  ~event_loop();

  [[nodiscard]] uv_loop_t* uv() noexcept { return loop_; }
  /// For each handle on it that isn't our own: on a lent loop only pending operations keep uv_run running.
  template <class Handle>
  void unref(Handle& handle) const noexcept {
    if (lent()) uv_unref(reinterpret_cast<uv_handle_t*>(&handle));
  }
  [[nodiscard]] poll_shelf& spare_polls() noexcept { return spare_polls_; }
  /// Constant while completions run.
  [[nodiscard]] time_point now() const noexcept;
  /// This turn has had its share of immediate completions: further starts are to be postponed.
  [[nodiscard]] bool exhausted() const noexcept { return budget_ == 0; }
  /// The answer of a start that completes at once; only while not exhausted.
  backend::start done(backend::op& op, backend::status result, std::size_t n = 0) noexcept {
    --budget_;
    return op.finish(result, n);
  }
  /// The answer of a start whose result stands already, exhausted or not: then its handler is called in the
  /// next completions.
  backend::start done_or_later(backend::op& op, op_owner& owner, op_kind kind, backend::status result,
                               std::size_t n = 0) noexcept;

  /// The operation becomes pending: until finish(), or its deadline.
  backend::start wait(backend::op& op, op_owner& owner, op_kind kind) {
    adopt(op, owner, kind, op_phase::waiting);
    deadlines_.add(op);
    return op.begin();
  }
  /// The operation becomes pending, and its owner is asked to start it in a later turn.
  backend::start postpone(backend::op& op, op_owner& owner, op_kind kind);
  /// The operation becomes pending and completes ok in a later turn; its deadline means nothing.
  void schedule(backend::op& op, op_owner& owner) noexcept;
  /// Its result stands; its handler is called in the next completions.
  void finish(backend::op& op, backend::status result, std::size_t n = 0) noexcept {
    assert(undecided(op));
    deadlines_.remove(op);
    if (phase_of(op) == op_phase::postponed) detail::op_list::unlink(op);
    op.twin.phase = static_cast<std::uint8_t>(op_phase::finished);
    op.result = result;
    op.n = n;
    ready_.push(op);
    touch();
  }
  /// For one that its owner tried again and that still has to wait.
  static void keep_waiting(backend::op& op) noexcept {
    op.twin.phase = static_cast<std::uint8_t>(op_phase::waiting);
  }

  /// A deadline that is no operation: expire() is called for it, nothing else.
  void add_timer(backend::op& timer, op_owner& owner, op_kind kind, time_point due);
  void remove_timer(backend::op& timer) noexcept { deadlines_.remove(timer); }

  /// Interest in a descriptor has changed, which libuv tells the system in its next poll, or a handle is
  /// being closed. `comes_or_goes`: it is the first in this descriptor, or was the last.
  void interest_changed(bool comes_or_goes) noexcept {
    interest_changed_ = true;
    descriptors_changed_ |= comes_or_goes;
    touch();
  }
  /// Events of this descriptor, which libuv watches, are for `target`; null: no longer.
  void set_target(int descriptor, event_target* target);

  /// A read has to wait; to be called until it leaves. Nothing unless the loop spins.
  void add_source(spin_source& source) noexcept {
    if (spins_) insert_source(source);
  }
  void remove_source(spin_source& source) noexcept {
    if (spins_) take_out_source(source);
  }
  /// How often it has spun.
  [[nodiscard]] std::size_t spins() const noexcept { return habit_.spins(); }

  backend::turn_result turn(time_point until);
  bool settle();
  [[nodiscard]] result<backend::native_handle> poll_handle();
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept;
  [[nodiscard]] std::shared_ptr<backend::waker> get_waker() const;

 private:
  class shared_waker;
  struct handles;
  explicit event_loop(const backend::system_options& options);
  [[nodiscard]] bool lent() const noexcept { return loop_ != &own_; }
  int open();
  void keep_running(bool wanted) noexcept;
  void insert_source(spin_source& source) noexcept;
  void take_out_source(spin_source& source) noexcept;
  /// Something has changed that the next poll must know of.
  void touch() noexcept {
    if (running_ || descriptor_) tell_of_change();
  }
  void tell_of_change() noexcept;
  /// After the completions of a turn.
  [[nodiscard]] bool time_is_up() const noexcept { return until_ != never && now_ >= until_; }
  void tell_descriptor() noexcept;
  void turn_own();
  void turn_lent();
  void run_own(bool awake);
  void poll_directly(bool awake);
  [[nodiscard]] int milliseconds_to_wait() const noexcept;
  [[nodiscard]] static int milliseconds_until(time_point when) noexcept;
  [[nodiscard]] bool prepare_poll();
  [[nodiscard]] bool prepare_timed_poll(time_point next);
  void leave_poll_to_libuv(bool awake);
  [[nodiscard]] time_point next_due() const noexcept { return std::min(until_, deadlines_.next()); }
  void arm_timer(time_point next);
  void timer_rang() noexcept;
  [[nodiscard]] bool turned_briefly();
  [[nodiscard]] bool spin(time_point next);
  [[nodiscard]] bool look(unsigned attempt) noexcept;
  void catch_up() noexcept;
  [[nodiscard]] bool may_be_due(time_point when) const noexcept;
  void keep_from_sleeping(bool awake) noexcept;
  void complete_all();
  void look_at_the_time();
  void tell_of_wake();
  void deliver(backend::op& op) noexcept;
  static void expire(backend::op& op) noexcept;
  void adopt(backend::op& op, op_owner& owner, op_kind kind, op_phase phase) noexcept {
    assert(phase_of(op) == op_phase::idle);
    op.twin.owner = &owner;
    op.twin.kind = static_cast<std::uint8_t>(kind);
    op.twin.phase = static_cast<std::uint8_t>(phase);
    if (pending_++ == 0 && lent()) keep_running(true);
    touch();
  }

  static constexpr int immediate_completions_per_turn = 256;

  // What every turn looks at stands in front.
  uv_loop_t* loop_;
  time_point until_ = never;
  mutable time_point now_ = never;  ///< of these completions; never: nobody has asked yet
  time_point slept_since_ = never;
  std::size_t pending_ = 0;
  int budget_ = 0;
  int poll_number_ = -1;  ///< of libuv's own descriptor, if it looks
  const bool looks_;      ///< this system lets us
  const bool spins_;
  bool interest_changed_ = true;  ///< or libuv has something else to do in its next turn
  bool turning_ = false;
  bool running_ = false;  // our own loop, in uv_run
  bool completing_ = false;
  bool woken_ = false;
  bool progressed_ = false;
  std::unique_ptr<poll_descriptor> descriptor_;
  std::vector<event_target*> targets_;  ///< by descriptor; only of our own loop
  deadline_heap deadlines_;
  detail::op_list ready_, completing_now_;

  std::unique_ptr<handles> handles_;
  poll_shelf spare_polls_;
  std::shared_ptr<shared_waker> waker_;
  spin_habit habit_;
  spin_source* sources_ = nullptr;
  unsigned brief_turns_ = 0;
  time_point armed_for_ = never;
  void (*wake_handler_)(void*) noexcept = nullptr;
  void* wake_context_ = nullptr;
  bool descriptors_changed_ = false;
  bool kept_running_ = false;
  bool kept_awake_ = false;
  uv_loop_t own_{};
};

}  // namespace tp::platform
