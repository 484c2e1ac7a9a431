// Timeouts of sockets, and how late the kernel's timers may be.
#include "call_timeout_posix.hpp"

#include <sys/socket.h>
#include <ctime>

#include <algorithm>
#include <chrono>

#include "clock.hpp"

namespace tp::platform {
namespace {

// The kernel rounds a timeout up to its ticks and waits for the end of the last. The coarse clock moves once
// a tick, clock_getres(2).
duration kernel_tick() noexcept {
  static const duration tick = [] {
    timespec found{};
    constexpr long longest = 10'000'000;
    const bool known = ::clock_getres(CLOCK_MONOTONIC_COARSE, &found) == 0 && found.tv_sec == 0;
    return duration(known ? std::min(found.tv_nsec, longest) : longest);
  }();
  return tick;
}

}  // namespace

// A timer of the kernel may be late by an eighth of its time; see "timer wheel" in its kernel/time/timer.c.
bool call_timeout::fit(int socket, time_point deadline) noexcept {
  if (deadline == never) return set(socket, duration::zero());
  const time_point now = real_now();
  const duration late = 2 * kernel_tick();
  if (deadline <= now + 2 * late) return false;
  constexpr duration longest = std::chrono::hours(1);  // so that far deadlines are alike
  const duration rest = std::min(deadline - now - late, longest);
  return (set_ + set_ / 8 <= rest && set_ >= rest / 2) || set(socket, rest / 4 * 3);
}

bool call_timeout::set(int socket, duration timeout) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
  const auto micros = std::chrono::floor<std::chrono::microseconds>(timeout - seconds);
  const timeval value{static_cast<time_t>(seconds.count()), static_cast<suseconds_t>(micros.count())};
  if (::setsockopt(socket, SOL_SOCKET, option_, &value, sizeof value) != 0) return false;
  set_ = timeout;
  return true;
}

}  // namespace tp::platform
