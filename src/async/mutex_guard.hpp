// A lock held for a scope: std::lock_guard for the seam's mutex, without the header that brings the system's.
#pragma once

#include "twinpipe/backend/threads.hpp"

namespace tp::detail {

class [[nodiscard]] mutex_guard {
 public:
  explicit mutex_guard(backend::mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  mutex_guard(const mutex_guard&) = delete;
  mutex_guard& operator=(const mutex_guard&) = delete;
  ~mutex_guard() { mutex_.unlock(); }

 private:
  backend::mutex& mutex_;
};

/// The opposite: a mutex let go for a scope.
class [[nodiscard]] unlocked {
 public:
  explicit unlocked(backend::mutex& mutex) : mutex_(mutex) { mutex_.unlock(); }
  unlocked(const unlocked&) = delete;
  unlocked& operator=(const unlocked&) = delete;
  ~unlocked() { mutex_.lock(); }

 private:
  backend::mutex& mutex_;
};

}  // namespace tp::detail
