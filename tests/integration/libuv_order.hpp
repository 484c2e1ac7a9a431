// libuv 1.45 and later, imitated by an older one: it asks for the time and runs timers after the poll, before
// it only in UV_RUN_DEFAULT, and a stop in one of these ends the run without a poll.
#pragma once

#include <uv.h>

#include <functional>

#include "twinpipe/time.hpp"

namespace tp::test {

/// While it lives, this thread's uv_run keeps the later order; a libuv that does so anyway isn't changed. One
/// at a time. The program is linked with --wrap=uv_run and the like, see libuv_order.cpp.
class later_libuv {
 public:
  later_libuv();
  ~later_libuv();
  later_libuv(const later_libuv&) = delete;
  later_libuv& operator=(const later_libuv&) = delete;

  /// The next run begins with it.
  static void before_next_run(std::function<void()> function);
  /// The loop takes the time for so much earlier, until it asks for it again.
  static void fall_behind(uv_loop_t& loop, duration length);
  /// Whether a timer has ended a run before its poll; unknown, and true, if libuv does so itself.
  [[nodiscard]] static bool forestalled_poll();
};

}  // namespace tp::test
