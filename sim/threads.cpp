// Locks, clock and randomness of a world with a single thread: a wait passes the time, and one without end is
// a mistake.
#include <cassert>

#include "fatal.hpp"
#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::sim {
namespace {

void pass_time(const process_ref& process, time_point until, const char* what) {
  if (process->dead()) return;
  if (until == never)
    detail::fatal(std::string(what) + " would never end: a simulated world has a single thread");
  process->world->time.advance(until);
}

class mutex final : public backend::mutex {
 public:
  void lock() override {
    if (!try_lock()) detail::fatal("mutex::lock would never end: its only thread holds the mutex already");
  }
  bool try_lock() override { return !std::exchange(held_, true); }
  void unlock() noexcept override {
    assert(held_ && "a mutex was unlocked that nobody holds");
    held_ = false;
  }

 private:
  bool held_ = false;
};
static_assert(backend::implements<mutex, backend::mutex>);

class condition final : public backend::condition {
 public:
  explicit condition(process_ref process) : process_(std::move(process)) {}
  bool wait(backend::mutex&, time_point deadline) override {
    pass_time(process_, deadline, "condition::wait without a deadline");
    return false;
  }
  void notify_one() noexcept override {}
  void notify_all() noexcept override {}

 private:
  process_ref process_;
};
static_assert(backend::implements<condition, backend::condition>);

class event final : public backend::event {
 public:
  explicit event(process_ref process) : process_(std::move(process)) {}
  void set() noexcept override { set_ = true; }
  void reset() noexcept override { set_ = false; }
  bool wait(time_point deadline) override {
    if (!set_) pass_time(process_, deadline, "event::wait without a deadline");
    return set_;
  }

 private:
  process_ref process_;
  bool set_ = false;
};
static_assert(backend::implements<event, backend::event>);

class threads final : public backend::threads {
 public:
  explicit threads(process_ref process) : process_(std::move(process)) {}
  result<std::unique_ptr<backend::thread>> start_thread(const std::string&, std::function<void()>) override {
    return fail(process_->dead() ? errc::process_killed : errc::not_supported, operation::start_thread);
  }
  std::unique_ptr<backend::mutex> make_mutex(backend::mutex_kind) override {
    return std::make_unique<mutex>();
  }
  std::unique_ptr<backend::condition> make_condition() override {
    return std::make_unique<condition>(process_);
  }
  std::unique_ptr<backend::event> make_event() override { return std::make_unique<event>(process_); }
  std::uint64_t this_thread() const noexcept override { return 1; }
  time_point now() const noexcept override { return process_->world->time.now(); }
  void sleep_until(time_point deadline) override { pass_time(process_, deadline, "sleep_until(never)"); }
  /// splitmix64 (Steele, Lea and Flood, 2014), one byte of each number.
  void random(std::span<std::byte> fill) noexcept override {
    std::ranges::fill(fill, std::byte{});
    if (process_->dead()) return;
    for (std::byte& b : fill) {
      std::uint64_t z = process_->world->random += 0x9e3779b97f4a7c15;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      b = static_cast<std::byte>((z ^ (z >> 31)) >> 56);
    }
  }

 private:
  process_ref process_;
};
static_assert(backend::implements<threads, backend::threads>);

}  // namespace

std::unique_ptr<backend::threads> make_threads(const process_ref& process) {
  return std::make_unique<threads>(process);
}

}  // namespace tp::sim
