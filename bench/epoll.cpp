// epoll by hand.
#include <sys/epoll.h>

#include <array>

#include "contender.hpp"
#include "exchange.hpp"

namespace bench {
namespace {

class epoll_loop {
 public:
  class watch {
   public:
    watch(epoll_loop& loop, int fd, handler& to) : loop_(loop), fd_(fd), handler_(to) {}
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    ~watch() { ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr); }

    void arm(bool writable) {
      epoll_event wanted{};
      wanted.events = static_cast<std::uint32_t>(EPOLLIN) | (writable ? EPOLLOUT : 0U);
      wanted.data.ptr = &handler_;
      const int how = added_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
      if (::epoll_ctl(loop_.epoll_.get(), how, fd_, &wanted) != 0) give_up_errno("epoll_ctl");
      added_ = true;
    }

   private:
    epoll_loop& loop_;
    int fd_;
    handler& handler_;
    bool added_ = false;
  };

  // A handler that one event of a batch destroys has no other in it: each waits for one descriptor.
  void run() {
    std::array<epoll_event, 64> events;
    while (!stopped_) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) give_up_errno("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        static_cast<handler*>(event.data.ptr)
            ->ready((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (event.events & EPOLLOUT) != 0);
      }
    }
  }
  void stop() { stopped_ = true; }

 private:
  descriptor epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  bool stopped_ = false;
};

constexpr contender by_epoll[] = {{"epoll", serve_by_hand<epoll_loop>, ask_by_hand<epoll_loop>}};

}  // namespace

std::span<const contender> epoll_contenders() {
  return by_epoll;
}

}  // namespace bench
