// Watching a descriptor through uv_poll.
#include "watcher.hpp"

namespace tp::platform {

int watcher::watch(int in, int out) {
  if (in == out) return add(first_, in, UV_READABLE | UV_WRITABLE);
  if (const int number = add(first_, in, UV_READABLE); number != 0) return number;
  if (out < 0) return 0;
  return add(second_, out, UV_WRITABLE);
}

int watcher::add(watch_handle& on, int descriptor, int serves) {
  on.poll.data = &on;
  on.owner = this;
  on.serves = serves;
  if (const int code = uv_poll_init(loop_.uv(), &on.poll, descriptor); code < 0) return -code;
  loop_.unref(on.poll);
  on.descriptor = descriptor;
  loop_.set_target(descriptor, &on);
  on.open = true;
  return 0;
}

void watcher::want(int events) noexcept {
  for (watch_handle* on : {&first_, &second_})
    if (const int missing = events & on->serves & ~on->armed; on->open && missing != 0)
      arm(*on, on->armed | missing);
}

void watcher::arm(watch_handle& on, int events) noexcept {
  loop_.interest_changed(on.armed == 0 || events == 0);
  on.armed = events;
  if (events == 0) {
    uv_poll_stop(&on.poll);
    return;
  }
  uv_poll_start(&on.poll, events, [](uv_poll_t* handle, int status, int fired) {
    auto& fired_on = *static_cast<watch_handle*>(handle->data);
    fired_on.owner->on_event(fired_on, status, fired);
  });
}

// A negative status is the trap of libuv 1.44: on POLLERR it stops the handle and says UV_EBADF. It is no
// error of ours: the next system call says what there is, data first; who still waits after that is armed
// again.
void watcher::on_event(watch_handle& on, int status, int events) noexcept {
  if (status < 0) {
    on.armed = 0;
    loop_.interest_changed(true);
    ready(on.serves);
    if (watching()) want(wanted() & on.serves);
    return;
  }
  if (const int unwanted = events & ~wanted(); unwanted != 0) arm(on, on.armed & ~unwanted);
  ready(events);
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
  ++closing_;
  loop_.interest_changed(true);
  uv_close(reinterpret_cast<uv_handle_t*>(&on.poll), [](uv_handle_t* handle) {
    watcher& self = *static_cast<watch_handle*>(handle->data)->owner;
    --self.closing_;
    self.free_if_idle();
  });
}

void watcher::free_when_idle() noexcept {
  released_ = true;
  free_if_idle();
}

void watcher::free_if_idle() noexcept {
  if (released_ && !watching() && closing_ == 0 && !in_use()) delete this;
}

}  // namespace tp::platform
