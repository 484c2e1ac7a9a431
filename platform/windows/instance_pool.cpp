// The pool's lock, its queue of clients and the acceptors that wait for one.
#include "windows/instance_pool.hpp"

#include <algorithm>
#include <utility>

#include "windows/errors.hpp"
#include "windows/peer.hpp"
#include "windows/pipe_instance.hpp"
#include "windows/text.hpp"

namespace tp::platform {
namespace {

/// Held by an accepted pipe until it is closed.
class pool_place {
 public:
  explicit pool_place(std::weak_ptr<instance_pool> pool) noexcept : pool_(std::move(pool)) {}
  pool_place(const pool_place&) = delete;
  pool_place& operator=(const pool_place&) = delete;
  ~pool_place() {
    if (const auto pool = pool_.lock()) pool->refill();
  }

 private:
  std::weak_ptr<instance_pool> pool_;
};

}  // namespace

instance_pool::instance_pool(settings s)
    : settings_(std::move(s)), wide_location_(widen(settings_.location)) {}

instance_pool::~instance_pool() {
  withdraw();
}

result<void> instance_pool::open() {
  const std::lock_guard guard(lock_);
  const DWORD cause = listen_if_room(FILE_FLAG_FIRST_PIPE_INSTANCE);
  if (cause == ERROR_SUCCESS) return {};
  // CreateNamedPipe: ACCESS_DENIED when the flag is given and the name exists; PIPE_BUSY when its maker's
  // limit is reached.
  const bool taken = cause == ERROR_ACCESS_DENIED || cause == ERROR_PIPE_BUSY;
  return fail_with(taken ? errc::name_in_use : to_errc(static_cast<int>(cause)), operation::bind,
                   static_cast<int>(cause), settings_.location);
}

DWORD instance_pool::listen_if_room(DWORD first_flag) noexcept {
  while (!listening_ && ready_.size() <= settings_.backlog) {
    auto next = std::make_unique<pipe_instance>(*this);
    const pipe_instance::recipe recipe{wide_location_, settings_.security.get(), settings_.kernel_limit,
                                       first_flag};
    if (const DWORD cause = next->create(recipe); cause != ERROR_SUCCESS) return cause;
    first_flag = 0;
    const DWORD cause = next->listen();
    if (cause == ERROR_IO_PENDING) {
      listening_ = std::move(next);
    } else if (cause == ERROR_SUCCESS) {
      ready_.push_back(std::move(next));
      tell_waiters();
    } else {
      return cause;
    }
  }
  return ERROR_SUCCESS;
}

void instance_pool::tell_waiters() noexcept {
  // All of them: the client goes to whoever is awake, and a thread in a long call holds nobody up.
  for (const waiter& w : waiters_) w.box->post(*w.on_client);
}

void instance_pool::reached(pipe_instance* which) noexcept {
  const std::lock_guard guard(lock_);
  if (listening_.get() != which) return;  // withdrawn meanwhile
  ready_.push_back(std::move(listening_));
  tell_waiters();
  // If this fails, the next take() tries again and says so.
  (void)listen_if_room();
}

void instance_pool::refill() noexcept {
  const std::lock_guard guard(lock_);
  if (!withdrawn_) (void)listen_if_room();
}

instance_pool::answer instance_pool::take(pipe_end& end, DWORD& cause, const std::shared_ptr<inbox>& box,
                                          signal& on_client) {
  std::unique_ptr<pipe_instance> taken;
  {
    const std::lock_guard guard(lock_);
    if (withdrawn_) return answer::withdrawn;
    if (!ready_.empty()) {
      taken = std::move(ready_.front());
      ready_.pop_front();
    }
    cause = listen_if_room();
    if (!taken) {
      // The kernel's own limit is no failure: a place comes free when a pipe is closed.
      if (cause != ERROR_SUCCESS && cause != ERROR_PIPE_BUSY) return answer::failed;
      const auto same = [&](const waiter& w) { return w.on_client == &on_client; };
      if (std::ranges::none_of(waiters_, same)) waiters_.push_back({box, &on_client});
      return answer::none;
    }
  }
  end.place = std::make_shared<pool_place>(weak_from_this());
  end.handle = taken->take();
  learn_client(end);
  return answer::taken;
}

void instance_pool::forget(signal& on_client) noexcept {
  const std::lock_guard guard(lock_);
  std::erase_if(waiters_, [&](const waiter& w) { return w.on_client == &on_client; });
}

void instance_pool::withdraw() noexcept {
  // Declared before the guard, so instances are destroyed without the lock: that waits for callbacks, which
  // may want it.
  std::unique_ptr<pipe_instance> listening;
  std::deque<std::unique_ptr<pipe_instance>> ready;
  const std::lock_guard guard(lock_);
  withdrawn_ = true;
  listening.swap(listening_);
  ready.swap(ready_);
  tell_waiters();
}

}  // namespace tp::platform
