// Threads of a process, and what they wait for each other with: the same words in a real and in a simulated
// process.
#pragma once

#include <memory>
#include <string>

#include "twinpipe/backend/threads.hpp"
#include "twinpipe/time.hpp"

namespace tp {

class process;

/// What the body of a started thread is given.
class thread {
 public:
  thread(process& owner, std::string name) noexcept : owner_(owner), name_(std::move(name)) {}

  [[nodiscard]] process& owner() const noexcept { return owner_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  process& owner_;
  std::string name_;
};

/// Like std::mutex; works with std::lock_guard.
class mutex {
 public:
  explicit mutex(process& owner);
  void lock() { twin_->lock(); }
  [[nodiscard]] bool try_lock() { return twin_->try_lock(); }
  void unlock() noexcept { twin_->unlock(); }

 private:
  friend class condition;
  std::unique_ptr<backend::mutex> twin_;
};

/// Like std::condition_variable. Spurious wake-ups happen: wait in a loop.
class condition {
 public:
  explicit condition(process& owner);
  /// `held` must be locked by this thread; it is again on return. False: the deadline passed.
  bool wait(mutex& held, time_point deadline = never);
  void notify_one() noexcept { twin_->notify_one(); }
  void notify_all() noexcept { twin_->notify_all(); }

 private:
  process& owner_;
  std::unique_ptr<backend::condition> twin_;
};

/// A flag to wait for; it stays set until reset().
class event {
 public:
  explicit event(process& owner);
  void set() noexcept { twin_->set(); }
  void reset() noexcept { twin_->reset(); }
  /// False: the deadline passed.
  bool wait(time_point deadline = never);

 private:
  process& owner_;
  std::unique_ptr<backend::event> twin_;
};

}  // namespace tp
