// Threads and their locks, clock and randomness: what a program may not take from the standard library, so
// that a simulated process can have its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "twinpipe/error.hpp"
#include "twinpipe/time.hpp"

namespace tp::backend {

class mutex {
 public:
  virtual ~mutex() = default;
  virtual void lock() = 0;
  [[nodiscard]] virtual bool try_lock() = 0;
  virtual void unlock() noexcept = 0;
};

/// `leaf`: held for moments only, never across a wait or another lock, so a simulator needs no choice point
/// there. `library`: like a user's, but of no program, so a simulator's trace needn't tell of it.
enum class mutex_kind : std::uint8_t { leaf, user, library };

class condition {
 public:
  virtual ~condition() = default;
  /// `held` is no leaf, locked by this thread, and locked again on return. Spurious wake-ups happen.
  /// False: the deadline passed.
  virtual bool wait(mutex& held, time_point deadline) = 0;
  virtual void notify_one() noexcept = 0;
  virtual void notify_all() noexcept = 0;
};

/// A flag that threads wait for. It stays set until reset.
class event {
 public:
  virtual ~event() = default;
  virtual void set() noexcept = 0;
  virtual void reset() noexcept = 0;
  virtual bool wait(time_point deadline) = 0;
};

class thread {
 public:
  virtual ~thread() = default;  // joins
  /// By one thread, not the thread itself. Twice is once.
  virtual void join() = 0;
};

class threads {
 public:
  virtual ~threads() = default;
  /// No exception may leave `body`. not_supported without the capability threads; no_resources.
  [[nodiscard]] virtual result<std::unique_ptr<thread>> start_thread(const std::string& name,
                                                                     std::function<void()> body) = 0;
  [[nodiscard]] virtual std::unique_ptr<mutex> make_mutex(mutex_kind kind) = 0;
  [[nodiscard]] virtual std::unique_ptr<condition> make_condition() = 0;
  [[nodiscard]] virtual std::unique_ptr<event> make_event() = 0;
  /// A number that differs between threads alive at one time, for assertions of thread affinity.
  [[nodiscard]] virtual std::uint64_t this_thread() const noexcept = 0;

  /// The time of the moment, not that of a turn.
  [[nodiscard]] virtual time_point now() const noexcept = 0;
  virtual void sleep_until(time_point deadline) = 0;
  virtual void random(std::span<std::byte> fill) noexcept = 0;
};

}  // namespace tp::backend
