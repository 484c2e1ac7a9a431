// libuv's epoll descriptor, asked without libuv.
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>

#include "loop_events.hpp"
#include "vectored_posix.hpp"

namespace tp::platform {

bool can_look() noexcept {
  return true;
}

// An epoll descriptor is readable when a wait would find something.
bool has_event(int poll_number) noexcept {
  return is_readable(poll_number);
}

namespace {

// A call for each: most turns find one, and a loop over vectors of them is long.
[[gnu::hot, gnu::noinline]] int to_uv(std::uint32_t what) noexcept {
  if ((what & ~std::uint32_t{EPOLLIN | EPOLLOUT}) != 0) return 0;
  return ((what & EPOLLIN) != 0 ? UV_READABLE : 0) | ((what & EPOLLOUT) != 0 ? UV_WRITABLE : 0);
}

}  // namespace

// libuv keeps the descriptor's number beside its events. Errors and hang-ups are left to it. A raw call,
// because libuv closes its descriptor by one: the thread sanitizer, which sees neither then, would take a
// later descriptor of that number for it. The older of two calls, where there is one, has no mask of signals
// to look at.
[[gnu::hot]] std::span<const loop_event> poll_events(int poll_number, std::span<loop_event> into,
                                                     int timeout) noexcept {
  std::array<epoll_event, 64> found;
  const auto room = static_cast<int>(std::min(found.size(), into.size()));
#ifdef SYS_epoll_wait
  const long got = ::syscall(SYS_epoll_wait, poll_number, found.data(), room, timeout);
#else
  const long got =
      ::syscall(SYS_epoll_pwait, poll_number, found.data(), room, timeout, nullptr, std::size_t{0});
#endif
  const auto n = static_cast<std::size_t>(std::max(got, 0L));
  for (std::size_t i = 0; i < n; ++i) into[i] = {found[i].data.fd, to_uv(found[i].events)};
  return into.first(n);
}

}  // namespace tp::platform
