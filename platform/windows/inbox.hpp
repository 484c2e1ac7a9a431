// How the system's wait threads tell a loop that something has happened.
#pragma once

#include <uv.h>

#include <memory>
#include <mutex>

#include "event_loop.hpp"

namespace tp::platform {

/// An occurrence that any thread may announce; its handler runs in a turn of the loop that owns the inbox.
class signal {
 public:
  using handler = void (*)(void* context) noexcept;
  signal(handler on_signal, void* context) noexcept : on_signal_(on_signal), context_(context) {}
  signal(const signal&) = delete;
  signal& operator=(const signal&) = delete;

  void run() noexcept { on_signal_(context_); }

 private:
  friend class inbox;
  handler on_signal_;
  void* context_;
  signal* next_ = nullptr;
  bool queued_ = false;
};

/// Shared by a loop and by those who post to it; outlives the loop, and is a dead letter box then.
/// Its lock is a leaf: callbacks of the wait threads take it, and nothing else happens under it.
class inbox {
 public:
  [[nodiscard]] static result<std::shared_ptr<inbox>> make(event_loop& loop);

  /// From any thread. Twice before the loop came round is once.
  void post(signal& what) noexcept;
  /// From the loop's thread: nothing of `what` is left here afterwards.
  void withdraw(signal& what) noexcept;
  /// From the loop's thread, before the loop goes.
  void close() noexcept;

 private:
  void run_all() noexcept;
  [[nodiscard]] signal* take() noexcept;

  std::mutex lock_;
  uv_async_t* async_ = nullptr;
  signal* first_ = nullptr;
  signal* last_ = nullptr;
};

}  // namespace tp::platform
