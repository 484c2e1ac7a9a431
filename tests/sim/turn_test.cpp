// Turns, time and wake-ups of a world.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

TEST_CASE("a day passes in one turn when nothing else can happen") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  waiting nap;
  nap.deadline = h.system->now() + 24h;
  REQUIRE(h.system->sleep(nap) == start::pending);
  CHECK(h.system->turn(never) == turn_result::progressed);
  CHECK(nap.completions == 1);
  CHECK(nap.code() == errc::none);
  CHECK(h.system->now() == time_point{} + 24h);
}

TEST_CASE("sleepers wake in the order of their times, and of their starts where those are equal") {
  sim::world world;
  const host a(world, "a", world.user("u")), b(world, "b", world.user("v"));
  std::string order;
  waiting late, early, tied;
  late.deadline = tied.deadline = time_point{} + 2s;
  early.deadline = time_point{} + 1s;
  late.then = [&] { order += "late "; };
  early.then = [&] { order += "early "; };
  tied.then = [&] { order += "tied"; };
  a.system->sleep(late);
  b.system->sleep(early);
  b.system->sleep(tied);
  CHECK(a.system->turn(never) == turn_result::progressed);
  CHECK(order == "early ");
  CHECK(b.system->turn(never) == turn_result::progressed);
  CHECK(order == "early late tied");
}

TEST_CASE("a turn with nothing to wait for stalls, or ends at the time it was given") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  CHECK(h.system->turn(never) == turn_result::stalled);
  CHECK(h.system->turn(time_point{} + 3s) == turn_result::timed_out);
  CHECK(world.now() == time_point{} + 3s);
  CHECK(h.system->turn(time_point{} + 1s) == turn_result::timed_out);
  CHECK(world.now() == time_point{} + 3s);
}

TEST_CASE("a turn doesn't pass its limit for a later deadline") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  waiting nap;
  nap.deadline = time_point{} + 10s;
  h.system->sleep(nap);
  CHECK(h.system->turn(time_point{} + 4s) == turn_result::timed_out);
  CHECK(nap.completions == 0);
  CHECK(h.system->turn(time_point{} + 10s) == turn_result::progressed);
  CHECK(nap.completions == 1);
}

TEST_CASE("what becomes ready in a turn completes in the next one") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  waiting first, second;
  first.then = [&] { h.system->schedule(second); };
  h.system->schedule(first);
  CHECK(h.system->turn(never) == turn_result::progressed);
  CHECK(second.completions == 0);
  CHECK(h.system->turn(never) == turn_result::progressed);
  CHECK(second.completions == 1);
}

TEST_CASE("a turn of one process completes operations of all of them") {
  sim::world world;
  const host a(world, "a", world.user("u")), b(world, "b", world.user("v"));
  waiting of_b;
  b.system->schedule(of_b);
  CHECK(a.system->turn(never) == turn_result::progressed);
  CHECK(of_b.completions == 1);
}

TEST_CASE("a cancelled sleep ends on a later turn, and a scheduled operation can't be cancelled") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  waiting nap, task, idle;
  nap.deadline = never;
  h.system->sleep(nap);
  h.system->schedule(task);
  h.system->cancel(nap);
  h.system->cancel(nap);
  h.system->cancel(task);
  h.system->cancel(idle);
  CHECK(nap.completions == 0);
  h.poll();
  CHECK(nap.completions == 1);
  CHECK(nap.code() == errc::cancelled);
  CHECK(task.code() == errc::none);
  CHECK(h.system->turn(never) == turn_result::stalled);
}

TEST_CASE("at most 256 operations are done at once before the next turn, then they are pending") {
  duplex pair;
  int done = 0;
  for (int i = 0; i < 300; ++i) {
    waiting asked;
    if (pair.near->drain(asked) == start::done) {
      ++done;
    } else {
      CHECK(pair.client.poll() == turn_result::progressed);
      CHECK(asked.code() == errc::none);
      break;
    }
  }
  CHECK(done <= 256);
  CHECK(done > 200);
  waiting again;
  CHECK(pair.near->drain(again) == start::done);
}

TEST_CASE("several wakes before a turn count as one, and a wake of a system that is gone does nothing") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  auto other = *h.process->make_system();
  int woken = 0;
  other->on_wake([](void* count) noexcept { ++*static_cast<int*>(count); }, &woken);
  const auto waker = other->get_waker();
  waker->wake();
  waker->wake();
  CHECK(woken == 0);
  CHECK(h.system->turn(never) == turn_result::progressed);
  CHECK(woken == 1);
  waker->wake();
  other.reset();
  waker->wake();
  CHECK(h.system->turn(never) == turn_result::stalled);
  CHECK(woken == 1);
}

TEST_CASE("time stands still within a turn") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  waiting first, second;
  std::vector<time_point> seen;
  first.then = second.then = [&] { seen.push_back(h.system->now()); };
  first.deadline = second.deadline = time_point{} + 7s;
  h.system->sleep(first);
  h.system->sleep(second);
  h.system->turn(never);
  CHECK(seen == std::vector(2, time_point{} + 7s));
}

TEST_CASE("a simulated system has no descriptor to poll and takes no loop") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  CHECK(h.system->poll_handle().error() == errc::not_supported);
  CHECK_FALSE(h.system->settle());
  int loop = 0;
  CHECK(h.process->make_system({.loop = &loop}).error() == errc::not_supported);
  CHECK(h.process->make_system({.wait = wait_strategy::adaptive}));
}

}  // namespace tp::test
