// A twin of paper for the tests of the core.
#include "core_twin.hpp"

#include <algorithm>

namespace tp::test {

namespace {

class locking final : public backend::mutex {
 public:
  void lock() override { lock_.lock(); }
  bool try_lock() override { return lock_.try_lock(); }
  void unlock() noexcept override { lock_.unlock(); }

 private:
  std::mutex lock_;
};

}  // namespace

result<std::unique_ptr<backend::thread>> paper_threads::start_thread(const std::string&,
                                                                     std::function<void()>) {
  return fail(errc::not_supported);
}

std::unique_ptr<backend::mutex> paper_threads::make_mutex(backend::mutex_kind) {
  return std::make_unique<locking>();
}

std::uint64_t paper_threads::this_thread() const noexcept {
  return std::hash<std::thread::id>()(std::this_thread::get_id());
}

void paper_threads::random(std::span<std::byte> fill) noexcept {
  std::ranges::fill(fill, chance);
}

struct paper_system::waker final : backend::waker {
  void wake() noexcept override { woken = true; }
  std::atomic<bool> woken = false;
};

paper_system::~paper_system() {
  CHECK(ready_.empty());
  CHECK(timers_.empty());
}

backend::start paper_system::sleep(backend::op& op) {
  if (dead) return op.finish({errc::process_killed});
  if (sleeps_at_once && op.deadline <= now_) return op.finish({});
  timers_.push_back(&op);
  return op.begin();
}

void paper_system::schedule(backend::op& op) noexcept {
  if (dead) return;
  op.begin();
  ready_.push_back({&op, {}, 0});
}

void paper_system::cancel(backend::op& op) noexcept {
  if (std::erase(timers_, &op) > 0) {
    ready_.push_back({&op, {cancel_meets_timer ? errc::none : errc::cancelled, 0}, 0});
  } else {
    on_cancel_connect(op);
  }
}

void paper_system::later(backend::op& op, backend::status status, std::size_t n) {
  ready_.push_back({&op, status, n});
}

bool paper_system::idle() const {
  return ready_.empty() && !(waker_ && waker_->woken);
}

backend::turn_result paper_system::turn(time_point until) {
  bool progressed = false;
  if (waker_ && waker_->woken.exchange(false)) {
    wake_handler_(wake_context_);
    progressed = true;
  }
  for (std::size_t n = ready_.size(); n > 0 && !ready_.empty(); --n) {
    const finished next = ready_.front();
    ready_.pop_front();
    next.op->complete(next.status, next.n);
    progressed = true;
  }
  if (progressed) return backend::turn_result::progressed;
  const auto first =
      std::ranges::min_element(timers_, {}, [](const backend::op* op) { return op->deadline; });
  if (first == timers_.end() || (*first)->deadline > until) {
    if (until == never) return backend::turn_result::stalled;
    now_ = std::max(now_, until);
    return backend::turn_result::timed_out;
  }
  backend::op& due = **first;
  timers_.erase(first);
  now_ = std::max(now_, due.deadline);
  due.complete({});
  return backend::turn_result::progressed;
}

void paper_system::on_wake(void (*handler)(void*) noexcept, void* context) noexcept {
  wake_handler_ = handler;
  wake_context_ = context;
}

std::shared_ptr<backend::waker> paper_system::get_waker() {
  if (!waker_) waker_ = std::make_shared<waker>();
  return waker_;
}

}  // namespace tp::test
