// Virtual time: however much of it passes, only what happens costs anything. A day of heartbeats is measured
// by `scripts/bench --sim`, as the workload `day`.
#include <catch2/catch.hpp>

#include "threaded_case.hpp"
#include "twinpipe/sim/world.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

THREADED_TEST_CASE(
    "a day passes in a few steps if nothing happens in it but a wait that ends at its deadline") {
  sim::world world;
  const auto alice = world.user("alice");
  world.process("server", alice, [](process& p) {
    auto served = p.bind("quiet");
    auto door = blocking::listen(p, *served);
    auto client = door->accept();
    buffer nothing;
    return client && client->receive(nothing, {.within = 24h}).error() == errc::timed_out ? 0 : 1;
  });
  world.process("client", alice, [](process& p) {
    const auto server = blocking::connect(p, "quiet", {.wait_for_server = true});
    p.sleep(48h);
    return server ? 0 : 1;
  });
  CHECK(world.run() == sim::run_end::finished);
  CHECK(world.now() >= time_point{} + 48h);
  CHECK(world.steps() < 200);
}

}  // namespace tp::programs
