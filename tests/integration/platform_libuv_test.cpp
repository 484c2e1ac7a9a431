// Loops on libuv 1.45 and later, whose timers and time come after the poll.
#include <thread>

#include "libuv_order.hpp"
#include "platform_uv_support.hpp"

namespace tp::test {
namespace {

// As if the thread had been kept from running: libuv will take the deadline for passed, the loop did not.
void pass(time_point deadline) {
  const auto beyond = deadline + 2ms;
  while (std::chrono::steady_clock::now().time_since_epoch() < beyond.time_since_epoch())
    std::this_thread::sleep_for(1ms);
}

}  // namespace

TEST_CASE("new interest whose poll a timer forestalls is told in the next") {
  bool forestalled = false;
  for (int i = 0; i < 50 && !forestalled; ++i) {
    connection_rig rig;
    const later_libuv libuv;
    test_read waiting;
    REQUIRE(rig.server->read(waiting) == start::pending);
    test_op sleep;
    sleep.deadline = rig.system->now() + 50ms;
    later_libuv::before_next_run([&] { pass(sleep.deadline); });
    rig.run(rig.system->sleep(sleep), sleep);
    forestalled = later_libuv::forestalled_poll();
    REQUIRE(write_all(rig, *rig.client, "bytes") == errc::none);
    rig.finish(waiting);
    CHECK(waiting.text() == "bytes");
  }
  CHECK(forestalled);
}

TEST_CASE("a deadline on a program's loop comes in time, however long ago the loop has asked for the time") {
  lent_rig rig;
  const later_libuv libuv;
  later_libuv::fall_behind(rig.on.loop, 1h);
  event over(rig.self);
  std::thread help([&] {
    if (!over.wait(rig.self.now() + 5s)) rig.runtime->post([] {});
  });
  CHECK(rig.runtime->turn(rig.runtime->now() + 2ms) == turned::timed_out);
  over.set();
  help.join();
}

}  // namespace tp::test
