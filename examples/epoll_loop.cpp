// A program with a loop of another kind waits for the runtime's descriptor with all else, here by epoll(7).
// Asio does the same with a posix::stream_descriptor and async_wait, Qt with a QSocketNotifier.
#include <sys/epoll.h>
#include <unistd.h>

#include "greeter.hpp"

namespace {

int converse(tp::process& p, int own_loop) {
  auto rt = tp::runtime::create(p);
  if (!rt) return p.fail(rt.error());
  const auto handle = (*rt)->poll_handle();
  if (!handle) return p.fail(handle.error());
  epoll_event interest{};
  interest.events = EPOLLIN;
  if (::epoll_ctl(own_loop, EPOLL_CTL_ADD, static_cast<int>(*handle), &interest) != 0) return 1;
  tp::task_group both;
  if (auto started = greeter::start_both(**rt, both); !started) return p.fail(started.error());
  while (both.size() > 0) {
    epoll_event event{};
    if (::epoll_wait(own_loop, &event, 1, -1) == 1) (*rt)->run_ready();
  }
  auto ended = (*rt)->run(greeter::joined(both));
  return ended ? 0 : p.fail(ended.error());
}

int program(tp::process& p) {
  const int own_loop = ::epoll_create1(EPOLL_CLOEXEC);
  if (own_loop < 0) return 1;
  const int code = converse(p, own_loop);
  ::close(own_loop);
  return code;
}

}  // namespace

int main() {
  return tp::run(program);
}
