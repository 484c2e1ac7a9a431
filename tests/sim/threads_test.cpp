// Locks, clock and randomness of a world's single thread.
#include <array>
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

TEST_CASE("a mutex that is held can't be taken again until it is unlocked") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  const auto lock = h.process->threads().make_mutex(mutex_kind::user);
  lock->lock();
  CHECK_FALSE(lock->try_lock());
  lock->unlock();
  CHECK(lock->try_lock());
  lock->unlock();
}

TEST_CASE("a wait that nobody ends passes the time until its deadline") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  auto& threads = h.process->threads();
  const auto lock = threads.make_mutex(mutex_kind::user);
  lock->lock();
  CHECK_FALSE(threads.make_condition()->wait(*lock, time_point{} + 1s));
  CHECK(threads.now() == time_point{} + 1s);
  const auto flag = threads.make_event();
  CHECK_FALSE(flag->wait(time_point{} + 2s));
  threads.sleep_until(time_point{} + 3s);
  CHECK(world.now() == time_point{} + 3s);
}

TEST_CASE("an event stays set until it is reset, and a wait for it takes no time") {
  sim::world world;
  const host h(world, "h", world.user("u"));
  const auto flag = h.process->threads().make_event();
  flag->set();
  CHECK(flag->wait(never));
  CHECK(flag->wait(time_point{} + 1s));
  CHECK(world.now() == time_point{});
  flag->reset();
  CHECK_FALSE(flag->wait(time_point{} + 1s));
}

TEST_CASE("random bytes differ within a world and repeat in the next one") {
  const auto draw = [](sim::world& world) {
    const host h(world, "h", world.user("u"));
    std::array<std::byte, 64> bytes{};
    h.process->threads().random(bytes);
    return bytes;
  };
  sim::world one, two;
  const auto first = draw(one);
  CHECK(first == draw(two));
  CHECK(first != draw(one));
}

}  // namespace tp::test
