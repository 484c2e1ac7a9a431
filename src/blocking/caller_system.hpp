// The system of a blocking connection: it has no loop, the threads that call are its turns.
#pragma once

#include <atomic>
#include <memory>

#include "op_list.hpp"
#include "twinpipe/backend/blocking.hpp"
#include "twinpipe/backend/process.hpp"
#include "twinpipe/backend/system.hpp"

namespace tp::detail {

/// A thread that waits where a stop, or another thread of the same connection, must be able to reach it.
struct reachable {
  backend::interrupt* by = nullptr;
  reachable* next = nullptr;
  reachable* previous = nullptr;
};

/// Raises the interrupts of all that wait. It outlives its system, for whoever still has a stop to deliver.
class caller_waker final : public backend::waker {
 public:
  explicit caller_waker(backend::threads& threads) : lock_(threads.make_mutex(backend::mutex_kind::leaf)) {}

  void wake() noexcept override;
  /// Is there mail? It is looked for once.
  [[nodiscard]] bool woken() noexcept {
    return woken_.load(std::memory_order_relaxed) && woken_.exchange(false);
  }
  void enter(reachable& who);
  void leave(reachable& who);

 private:
  std::unique_ptr<backend::mutex> lock_;
  std::atomic<bool> woken_ = false;
  reachable* first_ = nullptr;
};

/// Everything under the lock of the connection, but for its waker. What is scheduled, cancelled or finished
/// completes in the next run(), which every thread calls before it waits and before it leaves.
class caller_system final : public backend::system {
 public:
  explicit caller_system(backend::threads& threads)
      : threads_(threads), waker_(std::make_shared<caller_waker>(threads)) {}

  [[nodiscard]] time_point now() const noexcept override { return threads_.now(); }
  backend::start sleep(backend::op& op) override;
  void schedule(backend::op& op) noexcept override;
  /// A connection is made elsewhere, and then left to its callers.
  backend::start connect(backend::connect_op& op) override { return op.finish({errc::not_supported}); }
  [[nodiscard]] result<backend::acceptor_ptr> open(const std::shared_ptr<backend::bound_name>&) override {
    return fail(errc::not_supported);
  }
  [[nodiscard]] result<backend::stream_ptr> attach(backend::detached_ptr, backend::attachment) override {
    return fail(errc::not_supported);
  }
  void cancel(backend::op& op) noexcept override;
  /// Only to end what is left: nothing is waited for.
  backend::turn_result turn(time_point until) override;
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override;
  [[nodiscard]] std::shared_ptr<backend::waker> get_waker() override { return waker_; }

  /// A pending operation has come to this.
  void finish(backend::op& op, backend::status result, std::size_t n = 0) noexcept;
  void run();
  /// And the timer, if its time has come, or none passes any more.
  void run_due(bool killed);
  [[nodiscard]] time_point next_due() const noexcept { return timer_ != nullptr ? timer_->deadline : never; }
  [[nodiscard]] caller_waker& waker() noexcept { return *waker_; }

 private:
  backend::threads& threads_;
  std::shared_ptr<caller_waker> waker_;
  op_list ready_;
  backend::op* timer_ = nullptr;  ///< a connection has one
  void (*wake_handler_)(void*) noexcept = nullptr;
  void* wake_context_ = nullptr;
};

}  // namespace tp::detail
