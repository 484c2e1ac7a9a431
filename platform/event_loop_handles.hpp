// libuv's handles of one event_loop, and the waker on one of them.
#pragma once

#include <uv.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "event_loop.hpp"

namespace tp::platform {

/// On a lent loop they close when it is run next, and the event_loop is gone by then: so they free
/// themselves.
struct event_loop::handles {
  explicit handles(event_loop& owner) noexcept : owner_(owner) {}
  template <class Handle>
  [[nodiscard]] static event_loop& owner(Handle* handle) noexcept {
    return static_cast<handles*>(handle->data)->owner_;
  }

  void start(uv_loop_t& on);
  [[nodiscard]] int start_async(uv_loop_t& on, uv_async_cb handler);
  void keep_running(bool wanted) noexcept;
  static void close(std::unique_ptr<handles> all) noexcept;

  uv_timer_t timer{};
  uv_async_t async{};
  // Only on a lent loop.
  uv_prepare_t prepare{};
  uv_check_t check{};
  uv_idle_t idle{};

 private:
  template <class Handle>
  void let_go(Handle& handle) noexcept;

  event_loop& owner_;
  int open_ = 0;
  bool has_async_ = false;
};

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
  /// Whether libuv will tell of a wake.
  [[nodiscard]] bool woken() const noexcept { return pending_.load(std::memory_order_relaxed); }
  void disconnect() noexcept {
    const std::scoped_lock lock(mutex_);
    async_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> pending_ = false;
  uv_async_t* async_;
};

}  // namespace tp::platform
