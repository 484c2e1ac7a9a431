// What a program has left over at its end, each kind planted once; of a killed one the system takes it back.
#include <catch2/catch.hpp>

#include "async/endpoint_state.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Why a run fails of one program of alice's.
std::string why_left(const sim::program& main) {
  try {
    sim::explore({.runs = 1},
                 [&](sim::world& world) { world.process("planted", world.user("alice"), main); });
  } catch (const sim::exploration_failed& failed) {
    return failed.why();
  }
  return "";
}

std::shared_ptr<backend::bound_name> bind_left(process& p) {
  return *p.twin().names().bind({.name = *endpoint_name::parse("left"), .runtime_directory = {}});
}

constexpr auto left_open = "the program 'planted' ended and left open: ";

/// Waits for what is no operation, and never comes while its world is there.
struct never_comes {
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { waiters.push_back(waiter); }
  void await_resume() const noexcept {}
  std::vector<std::coroutine_handle<>>& waiters;
};
task<void> wait_for_nothing(std::vector<std::coroutine_handle<>>& waiters) {
  co_await never_comes(waiters);
}

}  // namespace

THREADED_TEST_CASE("a name that is left over is found, and so is what listens there") {
  std::shared_ptr<backend::bound_name> name;
  CHECK(why_left([&](process& p) {
          name = bind_left(p);
          return 0;
        }) == std::string(left_open) + "the name '/run/user/1000/twinpipe/left'");
  name.reset();
  std::unique_ptr<backend::system> loop;
  backend::acceptor_ptr door;
  CHECK(why_left([&](process& p) {
          loop = std::move(*p.twin().make_system());
          name = bind_left(p);
          door = std::move(*loop->open(name));
          return 0;
        }) == std::string(left_open) +
                  "a runtime, the name '/run/user/1000/twinpipe/left', an acceptor of the name "
                  "'/run/user/1000/twinpipe/left'");
  door.reset();
}

THREADED_TEST_CASE("a connection that is left over is found") {
  backend::detached_ptr left;
  CHECK_THAT(why_left([&](process& p) {
               const auto name = bind_left(p);
               const auto loop = std::move(*p.twin().make_system());
               backend::connect_op to;
               const auto where = *endpoint_name::parse("left");
               to.name = &where;
               to.on_done = [](backend::op&) noexcept {};
               if (loop->connect(to) == backend::start::pending)
                 while (to.pending()) loop->turn(never);
               left = std::move(to.stream);
               return 0;
             }),
             Catch::StartsWith(left_open + std::string("connection ")));
}

THREADED_TEST_CASE("a thread that nobody has joined is found") {
  std::unique_ptr<backend::thread> left;
  CHECK(why_left([&](process& p) {
          auto& threads = p.twin().threads();  // outlive the program
          left = std::move(*threads.start_thread("forgotten", [&] { threads.sleep_until(time_point(1h)); }));
          return 0;
        }) == std::string(left_open) + "the thread 'forgotten'");
}

THREADED_TEST_CASE("tasks that wait for what never comes, or were never begun, are found") {
  std::vector<std::coroutine_handle<>> waiters;
  std::optional<task<void>> never_begun;
  CHECK(why_left([&](process&) {
          never_begun.emplace(wait_for_nothing(waiters));
          return 0;
        }) == std::string(left_open) + "a coroutine that has not ended");
  never_begun.reset();
  task_group group;
  CHECK(why_left([&](process&) {
          for (int i = 0; i < 2; ++i) group.start(wait_for_nothing(waiters));
          return 0;
        }) == std::string(left_open) + "4 coroutines that have not ended");
  for (const auto each : waiters) each.resume();
}

task<void> sleep_long(runtime& rt) {
  static_cast<void>(co_await rt.sleep(1h));
}
task<int> leave_asleep(runtime& rt, task_group& group) {
  group.start(sleep_long(rt));
  co_return 0;
}

THREADED_TEST_CASE(
    "tasks that wait for an operation of a runtime that ends are ended by it, and not left over") {
  task_group group;
  CHECK(why_left([&](process& p) { return p.run([&](runtime& rt) { return leave_asleep(rt, group); }); }) ==
        "");
  CHECK(group.size() == 0);
}

THREADED_TEST_CASE("an instance that was taken and that nobody has is found") {
  CHECK(why_left([](process& p) {
          const auto served = p.bind("slots", {.max_instances = 2});
          detail::listener_ticket nobody;
          static_cast<void>(served->owner()->state()->request_slot(nobody));
          return 0;
        }) == "the endpoint 'slots' has ended with instances taken that nobody has: 1");
}

THREADED_TEST_CASE("what a program leaves that was killed isn't its fault") {
  std::shared_ptr<backend::bound_name> name;
  std::vector<std::coroutine_handle<>> waiters;
  std::optional<task<void>> never_begun;
  sim::explore({.runs = 50}, [&](sim::world& world) {
    const auto alice = world.user("alice");
    auto& victim = world.process("victim", alice, [&](process& p) {
      name = bind_left(p);
      never_begun.emplace(wait_for_nothing(waiters));
      p.sleep(1h);
      return 0;
    });
    world.process("killer", alice, [&](process& p) {
      p.sleep(1s);
      victim.kill();
      return 0;
    });
  });
  CHECK(never_begun.has_value());
}

}  // namespace tp::programs
