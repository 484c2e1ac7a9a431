// Threads, locks, clock and randomness of a real process, by the standard library.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "clock.hpp"
#include "host.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

using steady_time = std::chrono::steady_clock::time_point;

steady_time steady(time_point t) {
  return steady_time(std::chrono::duration_cast<steady_time::duration>(t.time_since_epoch()));
}

class real_mutex final : public backend::mutex {
 public:
  void lock() override { standard.lock(); }
  bool try_lock() override { return standard.try_lock(); }
  void unlock() noexcept override { standard.unlock(); }

  std::mutex standard;
};
static_assert(backend::implements<real_mutex, backend::mutex>);

// `never` is waited for without a clock: the standard library may add to a time point that it is given.
template <class Condition, class Lock>
bool wait_once(Condition& condition, Lock& lock, time_point deadline) {
  if (deadline != never) return condition.wait_until(lock, steady(deadline)) == std::cv_status::no_timeout;
  condition.wait(lock);
  return true;
}

class real_condition final : public backend::condition {
 public:
  bool wait(backend::mutex& held, time_point deadline) override {
    std::unique_lock lock(static_cast<real_mutex&>(held).standard, std::adopt_lock);
    const bool notified = wait_once(standard_, lock, deadline);
    lock.release();
    return notified;
  }
  void notify_one() noexcept override { standard_.notify_one(); }
  void notify_all() noexcept override { standard_.notify_all(); }

 private:
  std::condition_variable standard_;
};
static_assert(backend::implements<real_condition, backend::condition>);

class real_event final : public backend::event {
 public:
  void set() noexcept override {
    const std::scoped_lock lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  void reset() noexcept override {
    const std::scoped_lock lock(mutex_);
    is_set_ = false;
  }
  bool wait(time_point deadline) override {
    std::unique_lock lock(mutex_);
    while (!is_set_)
      if (!wait_once(changed_, lock, deadline)) break;
    return is_set_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};
static_assert(backend::implements<real_event, backend::event>);

class real_thread final : public backend::thread {
 public:
  explicit real_thread(std::thread started) noexcept : thread_(std::move(started)) {}
  ~real_thread() override { join(); }
  void join() override {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};
static_assert(backend::implements<real_thread, backend::thread>);

class real_threads final : public backend::threads {
 public:
  result<std::unique_ptr<backend::thread>> start_thread(const std::string& name,
                                                        std::function<void()> body) override {
    try {
      return std::make_unique<real_thread>(std::thread([name, body = std::move(body)] {
        name_this_thread(name);
        body();
      }));
    } catch (const std::system_error& refused) {
      return fail(errc::no_resources, operation::start_thread, refused.code().value());
    }
  }
  std::unique_ptr<backend::mutex> make_mutex(backend::mutex_kind) override {
    return std::make_unique<real_mutex>();
  }
  std::unique_ptr<backend::condition> make_condition() override { return std::make_unique<real_condition>(); }
  std::unique_ptr<backend::event> make_event() override { return std::make_unique<real_event>(); }

  std::uint64_t this_thread() const noexcept override {
    static std::atomic<std::uint64_t> last = 0;
    thread_local const std::uint64_t mine = ++last;
    return mine;
  }

  time_point now() const noexcept override { return real_now(); }
  void sleep_until(time_point deadline) override {
    constexpr auto long_time = std::chrono::hours(24);
    while (real_now() < deadline)
      std::this_thread::sleep_until(steady(std::min(deadline, real_now() + long_time)));
  }
  void random(std::span<std::byte> fill) noexcept override { fill_random(fill); }
};
static_assert(backend::implements<real_threads, backend::threads>);

}  // namespace

std::unique_ptr<backend::threads> make_threads() {
  return std::make_unique<real_threads>();
}

}  // namespace tp::platform
