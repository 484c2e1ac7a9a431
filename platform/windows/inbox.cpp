// A queue of signals under a leaf lock, and the uv_async_t that brings the loop to it.
#include "windows/inbox.hpp"

#include <utility>

#include "windows/errors.hpp"

namespace tp::platform {

result<std::shared_ptr<inbox>> inbox::make(event_loop& loop) {
  auto box = std::make_shared<inbox>();
  auto async = std::make_unique<uv_async_t>();
  const int code = uv_async_init(loop.uv(), async.get(),
                                 [](uv_async_t* handle) { static_cast<inbox*>(handle->data)->run_all(); });
  if (code < 0) return fail(status_of_uv(code).code, operation::start_runtime, code);
  async->data = box.get();
  loop.unref(*async);
  box->async_ = async.release();
  return box;
}

void inbox::post(signal& what) noexcept {
  const std::lock_guard guard(lock_);
  if (what.queued_ || async_ == nullptr) return;
  what.queued_ = true;
  what.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &what;
  last_ = &what;
  // Under the lock, so that close() can't come between the look at async_ and its use.
  uv_async_send(async_);
}

void inbox::withdraw(signal& what) noexcept {
  const std::lock_guard guard(lock_);
  if (!std::exchange(what.queued_, false)) return;
  signal* previous = nullptr;
  for (signal* s = first_; s != &what; s = s->next_) previous = s;
  (previous != nullptr ? previous->next_ : first_) = what.next_;
  if (last_ == &what) last_ = previous;
}

void inbox::close() noexcept {
  uv_async_t* async = nullptr;
  {
    const std::lock_guard guard(lock_);
    async = std::exchange(async_, nullptr);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(async),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

signal* inbox::take() noexcept {
  const std::lock_guard guard(lock_);
  signal* taken = first_;
  if (taken == nullptr) return nullptr;
  first_ = taken->next_;
  if (first_ == nullptr) last_ = nullptr;
  taken->queued_ = false;
  return taken;
}

void inbox::run_all() noexcept {
  while (signal* s = take()) s->run();
}

}  // namespace tp::platform
