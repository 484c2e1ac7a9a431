// One descriptor, or one for each direction, watched by one loop, and the life of the object around it.
#pragma once

#include "event_loop.hpp"

namespace tp::platform {

/// Base of streams and acceptors. Interest is left armed: libuv 1.44 spends two system calls on each change,
/// so it is armed when an operation has to wait and disarmed only when an event comes that nobody wants.
///
/// The object frees itself when it was released and its last operation has left.
class watcher : public event_owner {
 public:
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

 protected:
  explicit watcher(event_loop& loop) noexcept : loop_(loop) {}
  virtual ~watcher() = default;

  /// Readiness to read is that of `in`, readiness to write that of `out`; they may be one, and `out` is -1
  /// after a half-close. 0 or an errno; after an error with one the object may be deleted, with two it has to
  /// be released.
  [[nodiscard]] int watch(int in, int out);
  /// Arms what isn't armed (UV_READABLE, UV_WRITABLE).
  void want(int events) noexcept {
    if (!armed(events)) arm_missing(events);
  }
  [[nodiscard]] bool armed(int events) const noexcept {
    return ((first_.armed | second_.armed) & events) == events;
  }
  /// The descriptors may be closed at once afterwards.
  void stop_watching() noexcept;
  /// The same for one that is only written to.
  void stop_watching_out() noexcept { drop(second_); }
  [[nodiscard]] bool watching() const noexcept { return first_.open; }
  void free_when_idle() noexcept;

  /// What pending operations wait for.
  [[nodiscard]] virtual int wanted() const noexcept = 0;
  /// Whether an operation hasn't left yet.
  [[nodiscard]] virtual bool in_use() const noexcept = 0;

  event_loop& loop_;

 private:
  struct watch_handle : event_target {
    uv_poll_t* poll = nullptr;
    int descriptor = -1;
    int serves = 0;  // the events that it is for
    int armed = 0;
    bool started = false;  // libuv may have told the system of it
  };
  [[nodiscard]] int add(watch_handle& on, int descriptor, int serves);
  void drop(watch_handle& on) noexcept;
  void disarm(event_target& of, int unwanted) noexcept final;
  void failed(watch_handle& on) noexcept;
  void arm_missing(int events) noexcept;
  void arm(watch_handle& on, int events) noexcept;
  void free_if_idle() noexcept {
    if (released_ && !watching() && !in_use()) delete this;
  }

  watch_handle first_, second_;  // the second is for an `out` of its own
  bool released_ = false;

 protected:
  /// To be called at the end of leave().
  void left() noexcept { free_if_idle(); }
};

/// The same for a class with another base in front. Overrides of its own would be reached by functions that
/// adjust the pointer, which no attribute puts beside what runs for each message.
template <class Self>
class found_watcher : public watcher {
 public:
  [[gnu::hot]] int ready(int events) noexcept final { return static_cast<Self*>(this)->on_ready(events); }
  [[gnu::hot]] void leave(backend::op& op) noexcept final { static_cast<Self*>(this)->on_leave(op); }

 protected:
  using watcher::watcher;
  ~found_watcher() override = default;
};

}  // namespace tp::platform
