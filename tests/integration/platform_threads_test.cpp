// Threads, locks, clock and random numbers of a real process.
#include <algorithm>
#include <array>
#include <atomic>

#include "platform_support.hpp"

namespace tp::test {

TEST_CASE("a thread runs its body and is joined by its end") {
  rig rig;
  auto& threads = rig.process->threads();
  std::atomic<std::uint64_t> id = 0;
  {
    const auto thread = threads.start_thread("a name that is longer than the kernel takes",
                                             [&] { id = threads.this_thread(); });
    REQUIRE(thread);
  }
  CHECK(id != 0);
  CHECK(id != threads.this_thread());
  CHECK(threads.this_thread() == threads.this_thread());
}

TEST_CASE("a mutex excludes") {
  rig rig;
  auto& threads = rig.process->threads();
  const auto mutex = threads.make_mutex(backend::mutex_kind::leaf);
  int count = 0;
  const auto work = [&] {
    for (int i = 0; i < 10'000; ++i) {
      mutex->lock();
      ++count;
      mutex->unlock();
    }
  };
  {
    const auto one = threads.start_thread("one", work), other = threads.start_thread("other", work);
  }
  CHECK(count == 20'000);
  CHECK(mutex->try_lock());
  mutex->unlock();
}

TEST_CASE("a condition wakes who waits, and lets go at the deadline") {
  rig rig;
  auto& threads = rig.process->threads();
  const auto mutex = threads.make_mutex(backend::mutex_kind::user);
  const auto condition = threads.make_condition();
  bool said = false;
  mutex->lock();
  const time_point limit = threads.now() + 2ms;
  while (condition->wait(*mutex, limit)) {  // it may wake for nothing
  }
  CHECK(threads.now() >= limit);
  const auto speaker = threads.start_thread("speaker", [&] {
    mutex->lock();
    said = true;
    mutex->unlock();
    condition->notify_all();
  });
  while (!said) condition->wait(*mutex, never);
  mutex->unlock();
  CHECK(said);
}

TEST_CASE("an event stays set until it is reset") {
  rig rig;
  auto& threads = rig.process->threads();
  const auto event = threads.make_event();
  CHECK(!event->wait(threads.now() + 1ms));
  const auto setter = threads.start_thread("setter", [&] { event->set(); });
  CHECK(event->wait(never));
  CHECK(event->wait(threads.now()));
  event->reset();
  CHECK(!event->wait(threads.now()));
}

TEST_CASE("a sleep is not shorter than asked, and the clock is that of the systems") {
  rig rig;
  auto& threads = rig.process->threads();
  const time_point until = threads.now() + 2ms;
  threads.sleep_until(until);
  CHECK(threads.now() >= until);
  const time_point first = rig.system->now(), second = threads.now(), third = rig.system->now();
  CHECK((first <= second && second <= third));
}

TEST_CASE("random bytes fill the whole span and do not repeat") {
  rig rig;
  std::array<std::byte, 1000> one{}, other{};
  rig.process->threads().random(one);
  rig.process->threads().random(other);
  CHECK(one != other);
  CHECK(std::ranges::count(one, std::byte{0}) < 100);
}

}  // namespace tp::test
