// The order of libuv 1.45 (src/unix/core.c, uv_run()) before and after the uv_run of an older one.
#include "libuv_order.hpp"

#include <uv.h>

#include <chrono>
#include <utility>
#include <vector>

namespace tp::test {
namespace {

struct imitation {
  bool on = false;
  bool in_early_timers = false;
  bool stopped = false;
  bool without_poll = false;
  std::uint64_t behind = 0;  // to be added
  std::function<void()> before;
};
thread_local imitation order;

bool is_later() {
  return uv_version() >= (1U << 16 | 45U << 8);
}

std::vector<uv_timer_t*> take_due_timers(uv_loop_t* loop) {
  std::vector<uv_timer_t*> due;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* into) {
        if (handle->type != UV_TIMER || uv_is_active(handle) == 0) return;
        auto* const timer = reinterpret_cast<uv_timer_t*>(handle);
        if (uv_timer_get_due_in(timer) == 0) static_cast<std::vector<uv_timer_t*>*>(into)->push_back(timer);
      },
      &due);
  for (uv_timer_t* timer : due) uv_timer_stop(timer);
  return due;
}

void call(const std::vector<uv_timer_t*>& timers) {
  for (uv_timer_t* timer : timers) timer->timer_cb(timer);
}

// True: stopped.
bool run_early_timers(uv_loop_t* loop) {
  order.in_early_timers = true;
  order.stopped = false;
  call(take_due_timers(loop));
  order.in_early_timers = false;
  return order.stopped;
}

}  // namespace

later_libuv::later_libuv() {
  order = {};
  order.on = true;
}

later_libuv::~later_libuv() {
  order = {};
}

void later_libuv::before_next_run(std::function<void()> function) {
  order.before = std::move(function);
}

void later_libuv::fall_behind(uv_loop_t& loop, duration length) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
  (is_later() ? loop.time : order.behind) -= static_cast<std::uint64_t>(milliseconds);
}

bool later_libuv::forestalled_poll() {
  return is_later() || order.without_poll;
}

}  // namespace tp::test

using tp::test::order;

extern "C" {
int __real_uv_run(uv_loop_t* loop, uv_run_mode mode);
void __real_uv_stop(uv_loop_t* loop);
void __real_uv_update_time(uv_loop_t* loop);
std::uint64_t __real_uv_now(const uv_loop_t* loop);

// What a loop of twinpipe's own asks for is in the later order throughout. Of UV_RUN_ONCE, by which a lent
// loop is turned, only the time that it believes is.
int __wrap_uv_run(uv_loop_t* loop, uv_run_mode mode) {
  if (order.before) std::exchange(order.before, nullptr)();
  if (!order.on || tp::test::is_later()) return __real_uv_run(loop, mode);
  if (mode == UV_RUN_DEFAULT) {
    order.behind = 0;
    __real_uv_update_time(loop);
    if (tp::test::run_early_timers(loop)) {
      order.without_poll = true;
      return uv_loop_alive(loop);
    }
  }
  const auto late = mode == UV_RUN_NOWAIT ? tp::test::take_due_timers(loop) : std::vector<uv_timer_t*>();
  const int alive = __real_uv_run(loop, mode);
  order.behind = 0;
  tp::test::call(late);
  return alive;
}

void __wrap_uv_stop(uv_loop_t* loop) {
  order.in_early_timers ? static_cast<void>(order.stopped = true) : __real_uv_stop(loop);
}

void __wrap_uv_update_time(uv_loop_t* loop) {
  order.behind = 0;
  __real_uv_update_time(loop);
}

std::uint64_t __wrap_uv_now(const uv_loop_t* loop) {
  return __real_uv_now(loop) + order.behind;
}
}
