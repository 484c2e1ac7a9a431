// Threads of a simulated process, and what they wait for each other with. Whoever can go on is woken, and
// tries when it is its turn, so another may be faster, as everywhere.
#include <algorithm>
#include <cassert>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/detail/frame_memory.hpp"
#include "twinpipe/detail/killed.hpp"

namespace tp::sim {
namespace {

// All of these are recycled: a small world makes a dozen of them in the few microseconds of its life.

/// Threads that wait for one thing.
class waiters {
 public:
  explicit waiters(scheduler& time) noexcept : time_(time) {}

  /// `on`: what a report needs to know of it.
  scheduler::end wait(sim::wait what, time_point until, const void* on = nullptr) {
    thread& self = time_.current();
    all_.push(&self);
    const scheduler::end came = time_.block(what, on, until);
    all_.remove(&self);
    return came;
  }
  void wake_one() noexcept {
    if (!all_.empty()) time_.wake(*all_.take(time_.choose(all_.size(), choice::waiter)));
  }
  void wake_all() noexcept {
    while (!all_.empty()) time_.wake(*all_.take());
  }
  [[nodiscard]] scheduler& time() const noexcept { return time_; }

 private:
  scheduler& time_;
  ring<thread*> all_;
};

class mutex final : public backend::mutex, public tp::detail::recycled {
 public:
  mutex(process_ref process, backend::mutex_kind kind)
      : process_(std::move(process)), waiters_(process_->world->time), kind_(kind) {
    if (kind_ == backend::mutex_kind::user) number_ = ++process_->world->handles;
  }
  void lock() override {
    time().check_caller(caller());
    if (kind_ == backend::mutex_kind::leaf) return lock_briefly();
    time().point();
    while (holder_ != nullptr) {
      if (process_->dead()) return take_dying();
      if (holder_ == &time().current() && holder_->outside())
        detail::fatal("mutex::lock would never end: its only thread holds the mutex already");
      if (number_ != 0) time().note(happening::begun, number_, 0, std::to_underlying(kind::lock));
      if (waiters_.wait(wait::mutex, never, &holder_) == scheduler::end::stalled)
        refuse_endless(*process_->world, "to lock a mutex");
      if (holder_ != nullptr) count_lost();
    }
    time().current().overtaken = 0;
    take();
  }
  bool try_lock() override {
    time().check_caller(caller());
    if (kind_ != backend::mutex_kind::leaf) time().point();
    if (holder_ != nullptr) return false;
    take();
    return true;
  }
  void unlock() noexcept override {
    time().check_caller(caller());
    assert(holder_ != nullptr && "a mutex was unlocked that nobody holds");
    holder_ = nullptr;
    if (number_ != 0) time().note(happening::unlocked, number_);
    waiters_.wake_one();
  }

 private:
  [[nodiscard]] scheduler& time() const noexcept { return waiters_.time(); }
  void take() noexcept {
    holder_ = &time().current();
    if (number_ != 0) time().note(happening::locked, number_);
  }
  /// What a user may have called to get here.
  [[nodiscard]] std::string_view caller() const noexcept {
    if (kind_ == backend::mutex_kind::user) return "a tp::mutex";
    return kind_ == backend::mutex_kind::leaf ? "post, a stop or an endpoint"
                                              : "a blocking call, start_thread or join";
  }
  void lock_briefly() {
    if (holder_ != nullptr) detail::fatal("a lock for moments was held across a wait");
    holder_ = &time().current();
  }
  // Where choices are random this doesn't happen by chance to anybody: half of the time a woken thread is
  // first.
  void count_lost() {
    constexpr unsigned enough = 100, at_least = 10;
    thread& self = time().current();
    const world::state& world = *process_->world;
    if (++self.overtaken <= enough * (time().threads().size() + at_least)) return;
    fail_run(
        *process_->world,
        join("starvation: ", world.label(self.number), " waits for a mutex, was let go on ", self.overtaken,
             " times, and each time another one had taken it, the last time ", world.label(holder_->number)));
  }
  // Whoever has it ends soon and lets it go, unless it waits for one that this thread has.
  void take_dying() {
    constexpr int patience = 100;
    for (int i = 0; i < patience && holder_ != nullptr; ++i) time().let_others_die();
    if (holder_ != nullptr) detail::leave_killed();
    holder_ = &time().current();
  }

  const process_ref process_;
  waiters waiters_;
  const thread* holder_ = nullptr;
  const backend::mutex_kind kind_;
  std::uint32_t number_ = 0;  ///< of a program's; others are in no event
};
static_assert(backend::implements<mutex, backend::mutex>);

class condition final : public backend::condition, public tp::detail::recycled {
 public:
  explicit condition(process_ref process) : process_(std::move(process)), waiters_(process_->world->time) {}
  bool wait(backend::mutex& held, time_point deadline) override {
    waiters_.time().check_caller("condition::wait");
    held.unlock();
    auto came = scheduler::end::woken;
    if (process_->dead()) {
      waiters_.time().let_others_die();
    } else if (!waiters_.time().happens(16, choice::spurious)) {
      came = waiters_.wait(wait::condition, deadline);
    }
    if (came == scheduler::end::stalled) refuse_endless(*process_->world, "to wait for a condition");
    held.lock();
    return came != scheduler::end::timed_out;
  }
  void notify_one() noexcept override {
    waiters_.time().check_caller("condition::notify_one");
    waiters_.wake_one();
  }
  void notify_all() noexcept override {
    waiters_.time().check_caller("condition::notify_all");
    waiters_.wake_all();
  }

 private:
  const process_ref process_;
  waiters waiters_;
};
static_assert(backend::implements<condition, backend::condition>);

class signal final : public backend::event, public tp::detail::recycled {
 public:
  explicit signal(process_ref process) : process_(std::move(process)), waiters_(process_->world->time) {}
  void set() noexcept override {
    waiters_.time().check_caller("event::set");
    set_ = true;
    waiters_.wake_all();
  }
  void reset() noexcept override { set_ = false; }
  bool wait(time_point deadline) override {
    waiters_.time().check_caller("event::wait");
    waiters_.time().point();
    while (!set_ && !process_->dead() && waiters_.time().now() < deadline) {
      if (waiters_.wait(wait::event, deadline) == scheduler::end::stalled)
        refuse_endless(*process_->world, "to wait for an event");
    }
    return set_;
  }

 private:
  const process_ref process_;
  waiters waiters_;
  bool set_ = false;
};
static_assert(backend::implements<signal, backend::event>);

class interrupt final : public backend::interrupt, public tp::detail::recycled {
 public:
  explicit interrupt(process_ref process) : process_(std::move(process)) {}
  void raise() noexcept override {
    process_->world->time.check_caller("a stop");
    flag.raised = true;
    if (flag.waits != nullptr) process_->world->time.wake(*flag.waits);
  }
  void lower() noexcept override { flag.raised = false; }
  bool wait(time_point deadline) override {
    scheduler& time = process_->world->time;
    if (process_->dead()) time.let_others_die();  // one of them may have begun what this thread waits for
    time.point();
    while (!flag.raised && !process_->dead() && time.now() < deadline) {
      flag.waits = &time.current();
      if (time.block(wait::interrupt, this, deadline) == scheduler::end::stalled && !flag.raised)
        refuse_endless(*process_->world, "to wait for an interrupt");
      flag.waits = nullptr;
    }
    return flag.raised;
  }

  raised_flag flag;

 private:
  const process_ref process_;
};
static_assert(backend::implements<interrupt, backend::interrupt>);

class started_thread final : public backend::thread, public tp::detail::recycled {
 public:
  started_thread(process_ref process, std::shared_ptr<sim::thread> self)
      : process_(std::move(process)), self_(std::move(self)) {}
  ~started_thread() override { join(); }
  void join() override {
    scheduler& time = process_->world->time;
    while (!self_->ended) {
      self_->joiners.push_back(&time.current());
      const auto came = time.block(wait::thread_end, self_.get(), never, self_->number);
      if (came == scheduler::end::stalled && !self_->ended)
        refuse_endless(*process_->world, "to wait for the end of the thread '" + self_->name + "'");
      std::erase(self_->joiners, &time.current());
    }
  }

 private:
  const process_ref process_;
  const std::shared_ptr<sim::thread> self_;
};
static_assert(backend::implements<started_thread, backend::thread>);

class threads final : public backend::threads, public tp::detail::recycled {
 public:
  explicit threads(process_ref process) : process_(std::move(process)) {}
  result<std::unique_ptr<backend::thread>> start_thread(const std::string& name,
                                                        std::function<void()> body) override {
    time().check_caller("start_thread");
    // A scenario describes all of its world before anything happens in it.
    if (!process_->dead() && !time().current().outside()) time().point();
    if (process_->dead()) return fail(errc::process_killed, operation::start_thread);
    return std::make_unique<started_thread>(process_, time().start(*process_, name, std::move(body)));
  }
  std::unique_ptr<backend::mutex> make_mutex(backend::mutex_kind kind) override {
    return std::make_unique<mutex>(process_, kind);
  }
  std::unique_ptr<backend::condition> make_condition() override {
    return std::make_unique<condition>(process_);
  }
  std::unique_ptr<backend::event> make_event() override { return std::make_unique<signal>(process_); }
  std::uint64_t this_thread() const noexcept override {
    time().check_caller("a runtime or a join");
    return time().current().number;
  }
  time_point now() const noexcept override {
    time().check_caller("now");
    return time().now();
  }
  void sleep_until(time_point deadline) override {
    time().check_caller("sleep");
    if (process_->dead()) return time().let_others_die();
    const time_point begun = time().now();
    if (deadline <= begun) {
      time().remark(happening::let_others);
      return time().point();
    }
    time().point();
    while (time().now() < deadline) {
      const auto came =
          time().block(wait::time, nullptr, deadline, static_cast<std::uint64_t>((deadline - begun).count()));
      if (came == scheduler::end::killed) return;
      if (came == scheduler::end::stalled) refuse_endless(*process_->world, "to sleep");
    }
  }
  /// One byte of each number.
  void random(std::span<std::byte> fill) noexcept override {
    time().check_caller("random");
    std::ranges::fill(fill, std::byte{});
    time().step();
    if (process_->dead()) return;
    for (std::byte& b : fill) b = static_cast<std::byte>(process_->world->random_bytes().next() >> 56U);
  }

 private:
  [[nodiscard]] scheduler& time() const noexcept { return process_->world->time; }
  const process_ref process_;
};
static_assert(backend::implements<threads, backend::threads>);

}  // namespace

std::unique_ptr<backend::threads> make_threads(const process_ref& process) {
  return std::make_unique<threads>(process);
}

std::unique_ptr<backend::interrupt> make_interrupt(const process_ref& process) {
  return std::make_unique<interrupt>(process);
}

raised_flag& flag_of(backend::interrupt& which) noexcept {
  return dynamic_cast<interrupt&>(which).flag;
}

}  // namespace tp::sim
