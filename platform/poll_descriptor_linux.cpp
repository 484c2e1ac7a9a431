// An epoll descriptor over libuv's, a timerfd and an eventfd: so it alone suffices, and a program need ask
// for no deadline. timerfd also counts in nanoseconds, where poll(2) has milliseconds.
#include "poll_descriptor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <cerrno>

#include "descriptor.hpp"
#include "errors_posix.hpp"

namespace tp::platform {
namespace {

class linux_poll_descriptor final : public poll_descriptor {
 public:
  /// 0 or an errno.
  [[nodiscard]] int open(int backend) {
    all_ = descriptor(::epoll_create1(EPOLL_CLOEXEC));
    work_ = descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    timer_ = descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!all_ || !work_ || !timer_) return errno;
    for (const int each : {backend, work_.get(), timer_.get()}) {
      epoll_event wanted{.events = EPOLLIN, .data = {}};
      if (::epoll_ctl(all_.get(), EPOLL_CTL_ADD, each, &wanted) != 0) return errno;
    }
    return 0;
  }
  backend::native_handle number() const noexcept override { return all_.get(); }

  void set_work(bool waits) noexcept override {
    if (waits == work_waits_) return;
    work_waits_ = waits;
    eventfd_t ignored = 0;
    waits ? ::eventfd_write(work_.get(), 1) : ::eventfd_read(work_.get(), &ignored);
  }

  // Setting it also takes back that it has rung, timerfd_create(2). All zeros would stop it.
  void set_deadline(time_point next) noexcept override {
    if (next == deadline_) return;
    deadline_ = next;
    itimerspec at{};
    if (next != never) {
      const std::int64_t since = std::max<std::int64_t>(next.time_since_epoch().count(), 1);
      at.it_value = {.tv_sec = since / nano, .tv_nsec = since % nano};
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  }

 private:
  static constexpr std::int64_t nano = 1'000'000'000;
  descriptor all_, work_, timer_;
  time_point deadline_ = never;
  bool work_waits_ = false;
};

}  // namespace

result<std::unique_ptr<poll_descriptor>> make_poll_descriptor(const uv_loop_t& loop) {
  auto made = std::make_unique<linux_poll_descriptor>();
  if (const int number = made->open(uv_backend_fd(&loop)); number != 0)
    return fail_with(operation::poll_handle, number, "");
  return made;
}

}  // namespace tp::platform
