// One descriptor watched by one loop, and the life of the object around it.
#pragma once

#include "event_loop.hpp"

namespace tp::platform {

/// Base of streams and acceptors. Interest is left armed: libuv 1.44 spends two system calls on each change,
/// so it is armed when an operation has to wait and disarmed only when an event comes that nobody wants.
///
/// The object frees itself when it was released, libuv has let go of its handle, and its last operation has
/// left.
class watcher : public op_owner {
 public:
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

 protected:
  explicit watcher(event_loop& loop) noexcept : loop_(loop) {}
  virtual ~watcher() = default;

  /// 0 or an errno; after an error the object may be deleted.
  [[nodiscard]] int watch(int descriptor);
  /// Arms what isn't armed (UV_READABLE, UV_WRITABLE).
  void want(int events) noexcept;
  [[nodiscard]] bool armed(int events) const noexcept { return (armed_ & events) == events; }
  /// The descriptor may be closed at once afterwards.
  void stop_watching() noexcept;
  [[nodiscard]] bool watching() const noexcept { return watching_; }
  void free_when_idle() noexcept;

  /// What pending operations wait for.
  [[nodiscard]] virtual int wanted() const noexcept = 0;
  /// Tries those operations.
  virtual void ready(int events) noexcept = 0;
  /// Whether an operation hasn't left yet.
  [[nodiscard]] virtual bool in_use() const noexcept = 0;

  event_loop& loop_;

 private:
  void on_event(int status, int events) noexcept;
  void arm(int events) noexcept;
  void free_if_idle() noexcept;

  uv_poll_t poll_{};
  int armed_ = 0;
  bool watching_ = false;
  bool closing_ = false;
  bool released_ = false;

 protected:
  /// To be called at the end of leave().
  void left() noexcept { free_if_idle(); }
};

}  // namespace tp::platform
