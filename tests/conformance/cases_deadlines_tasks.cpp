// Tasks: groups, their errors, and exceptions.
#include <array>
#include <stdexcept>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

task<result<void>> end_after(party& p, duration d, errc code, int& ended) {
  if (auto slept = co_await p.rt().sleep(d).unless(p.stop()); !slept) co_return fail(slept);
  ++ended;
  if (code != errc::none) co_return fail(code);
  co_return {};
}

task<int> throw_after(party& p, duration d) {
  co_await p.sleep(d);
  throw std::runtime_error("thrown in a task");
}

task<void> throw_in_group(party& p, duration d) {
  co_await throw_after(p, d);
}

}  // namespace

CONFORMANCE_CASE("a task group reports its first error when it is joined", needs()) {
  w.party("alone", [](party& p) -> task<void> {
    int ended = 0;
    task_group group;
    group.start(end_after(p, 15ms, errc::busy, ended));
    group.start(end_after(p, 5ms, errc::closed, ended));
    group.start(end_after(p, 20ms, errc::none, ended));
    const std::size_t running = group.size();
    const auto outcome = co_await group.join();
    EXPECT(p, running == 3);
    EXPECT(p, group.size() == 0);
    p.refusal(outcome, errc::closed);
    EXPECT(p, ended == 3);
    group.start(end_after(p, 0ms, errc::none, ended));
    p.value(co_await group.join());
    p.value(co_await group.join());  // of nobody
    EXPECT(p, ended == 4);
  });
  w.run();
}

CONFORMANCE_CASE("an exception that leaves a task is thrown again by its await or join", needs()) {
  w.party("alone", [](party& p) -> task<void> {
    std::string caught;
    constexpr std::array<duration, 2> durations{0ms, 5ms};
    for (const duration d : durations) {
      try {
        co_await throw_after(p, d);
      } catch (const std::runtime_error& thrown) {
        caught += thrown.what();
      }
    }
    EXPECT(p, caught == "thrown in a taskthrown in a task");
    int ended = 0;
    task_group group;
    group.start(end_after(p, 1ms, errc::busy, ended));
    group.start(throw_in_group(p, 5ms));
    group.start(end_after(p, 10ms, errc::none, ended));
    bool thrown_by_join = false;
    try {
      static_cast<void>(co_await group.join());
    } catch (const std::runtime_error&) {
      thrown_by_join = true;
    }
    EXPECT(p, thrown_by_join && ended == 2);
    p.value(co_await group.join());
  });
  w.run();
}

}  // namespace tp::conformance
