// Steps of coroutines and of threads.
#include <coroutine>
#include <memory>
#include <vector>

#include "measured.hpp"
#include "twinpipe/twinpipe.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

/// Goes to the end of its system's queue.
struct next_turn : tp::backend::op {
  explicit next_turn(tp::backend::system& s)
      : op([](op& o) noexcept { static_cast<next_turn&>(o).waiter.resume(); }, nullptr), on(s) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> who) noexcept {
    waiter = who;
    on.schedule(*this);
  }
  void await_resume() const noexcept {}
  tp::backend::system& on;
  std::coroutine_handle<> waiter;
};

tp::task<tp::result<void>> step(tp::backend::system& on, long count) {
  next_turn next(on);
  for (long i = 0; i < count; ++i) co_await next;
  co_return {};
}

figure fiber_steps(int fibers, double scale) {
  const long each = static_cast<long>(20'000'000 * scale) / fibers + 1;
  return rate(static_cast<double>(each) * fibers, [&](tp::sim::world& world) {
    world.process("steps", world.user("u"), [=](tp::process& p) {
      for (int i = 0; i < fibers; ++i) {
        p.start_thread("t", [&p, each](tp::thread&) {
          for (long n = 0; n < each; ++n) p.sleep({});  // a point
          return 0;
        });
      }
      return p.join();
    });
  });
}

}  // namespace

figure coroutine_steps(double scale) {
  constexpr int tasks = 64;
  const long each = static_cast<long>(40'000'000 * scale) / tasks + 1;
  return rate(static_cast<double>(each) * tasks, [&](tp::sim::world& world) {
    world.process("steps", world.user("u"), [=](tp::process& p) {
      const auto system = std::move(*p.twin().make_system());
      tp::task_group group;
      for (int i = 0; i < tasks; ++i) group.start(step(*system, each));
      while (group.size() > 0) system->turn(tp::never);
      return 0;
    });
  });
}

figure fiber_steps_64(double scale) {
  return fiber_steps(64, scale);
}
figure fiber_steps_1000(double scale) {
  return fiber_steps(1000, scale);
}

}  // namespace bench
