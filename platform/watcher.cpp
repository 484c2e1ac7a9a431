// Watching a descriptor through uv_poll.
#include "watcher.hpp"

#include <memory>
#include <utility>

namespace tp::platform {

int watcher::watch(int in, int out) {
  if (in == out) return add(first_, in, UV_READABLE | UV_WRITABLE);
  if (const int number = add(first_, in, UV_READABLE); number != 0) return number;
  if (out < 0) return 0;
  return add(second_, out, UV_WRITABLE);
}

int watcher::add(watch_handle& on, int descriptor, int serves) {
  uv_poll_t* poll = loop_.spare_polls().take(descriptor);
  if (poll == nullptr) {
    auto made = std::make_unique<uv_poll_t>();
    if (const int code = uv_poll_init(loop_.uv(), made.get(), descriptor); code < 0) return -code;
    poll = made.release();
    loop_.unref(*poll);
  }
  poll->data = &on;
  on.poll = poll;
  on.owner = this;
  on.descriptor = descriptor;
  on.serves = serves;
  loop_.set_target(descriptor, &on);
  on.open = true;
  return 0;
}

void watcher::arm_missing(int events) noexcept {
  for (watch_handle* on : {&first_, &second_})
    if (const int missing = events & on->serves & ~on->armed; on->open && missing != 0)
      arm(*on, on->armed | missing);
}

void watcher::arm(watch_handle& on, int events) noexcept {
  loop_.interest_changed(on.armed == 0 || events == 0);
  on.armed = events;
  on.started = events != 0;
  if (events == 0) {
    uv_poll_stop(on.poll);
    return;
  }
  uv_poll_start(on.poll, events, [](uv_poll_t* handle, int status, int fired) {
    auto& fired_on = *static_cast<watch_handle*>(handle->data);
    status < 0 ? static_cast<watcher*>(fired_on.owner)->failed(fired_on) : fired_on.on_event(fired);
  });
}

void watcher::disarm(event_target& of, int unwanted) noexcept {
  auto& on = static_cast<watch_handle&>(of);
  arm(on, on.armed & ~unwanted);
}

// A negative status is the trap of libuv 1.44: on POLLERR it stops the handle and says UV_EBADF. It is no
// error of ours: the next system call says what there is, data first; who still waits after that is armed
// again.
void watcher::failed(watch_handle& on) noexcept {
  on.armed = 0;
  loop_.interest_changed(true);
  ready(on.serves);
  if (watching()) want(wanted() & on.serves);
}

void watcher::stop_watching() noexcept {
  drop(first_);
  drop(second_);
}

void watcher::drop(watch_handle& on) noexcept {
  if (!on.open) return;
  on.open = false;
  on.armed = 0;
  loop_.set_target(on.descriptor, nullptr);
  if (std::exchange(on.started, false)) uv_poll_stop(on.poll);
  if (loop_.spare_polls().put(on.descriptor, std::exchange(on.poll, nullptr))) loop_.interest_changed(false);
}

void watcher::free_when_idle() noexcept {
  released_ = true;
  free_if_idle();
}

}  // namespace tp::platform
