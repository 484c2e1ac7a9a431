// Watching a descriptor through uv_poll.
#include "watcher.hpp"

namespace tp::platform {

int watcher::watch(int descriptor) {
  poll_.data = this;
  if (const int code = uv_poll_init(loop_.uv(), &poll_, descriptor); code < 0) return -code;
  watching_ = true;
  return 0;
}

void watcher::want(int events) noexcept {
  if (!armed(events)) arm(armed_ | events);
}

void watcher::arm(int events) noexcept {
  armed_ = events;
  if (events == 0) {
    uv_poll_stop(&poll_);
    return;
  }
  uv_poll_start(&poll_, events, [](uv_poll_t* handle, int status, int fired) {
    static_cast<watcher*>(handle->data)->on_event(status, fired);
  });
}

// A negative status is the trap of libuv 1.44: on POLLERR it stops the handle and says UV_EBADF. It is no
// error of ours: the next system call says what there is, data first; who still waits after that is armed
// again.
void watcher::on_event(int status, int events) noexcept {
  const int needed = wanted();
  if (status < 0) {
    armed_ = 0;
    ready(UV_READABLE | UV_WRITABLE);
    if (watching_ && wanted() != 0) want(wanted());
    return;
  }
  if (const int unwanted = events & ~needed; unwanted != 0) arm(armed_ & ~unwanted);
  ready(events);
}

void watcher::stop_watching() noexcept {
  if (!watching_) return;
  watching_ = false;
  closing_ = true;
  armed_ = 0;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    watcher& self = *static_cast<watcher*>(handle->data);
    self.closing_ = false;
    self.free_if_idle();
  });
}

void watcher::free_when_idle() noexcept {
  released_ = true;
  free_if_idle();
}

void watcher::free_if_idle() noexcept {
  if (released_ && !watching_ && !closing_ && !in_use()) delete this;
}

}  // namespace tp::platform
