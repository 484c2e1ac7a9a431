// Threads of a process, and what they meet by.
#include <memory>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

/// What the threads of one process share; they may outlive a party that fails.
struct relay {
  explicit relay(tp::process& owner) : lock(owner), changed(owner), start(owner) {}
  mutex lock;
  condition changed;
  event start;
  int turn = 0;  ///< guarded, once threads run
};

/// Runner `mine` waits for the start, then for its turn.
int run_leg(relay& r, thread& self, int mine) {
  const time_point enough = deadline_after(self.owner().now(), 10s);
  if (!r.start.wait(enough)) return 99;
  r.lock.lock();
  while (r.turn != mine && r.changed.wait(r.lock, enough)) {
  }
  const bool in_turn = r.turn++ == mine;
  r.lock.unlock();
  r.changed.notify_all();
  return in_turn && self.name() == "runner " + std::to_string(mine) ? mine : 98;
}

}  // namespace

CONFORMANCE_CASE("threads of a process meet, take turns and are joined", needs(capability::threads)) {
  w.party("alone", [](party& p) -> task<void> {
    const auto r = std::make_shared<relay>(p.self());
    result<void> started;
    for (int i = 2; i >= 0 && started; --i) {  // the one whose turn is last begins first
      started = p.self().start_thread("runner " + std::to_string(i),
                                      [r, i](thread& self) { return run_leg(*r, self, i); });
      if (!started) r->turn = i + 1;  // those who did start run all the same
    }
    EXPECT(p, !r->start.wait(p.self().now() + 1ms));
    r->start.set();
    const int first_failure = p.self().join();
    p.value(started);
    EXPECT(p, first_failure == 2 && r->turn == 3 && r->start.wait());
    EXPECT(p, p.self().join() == first_failure);
    EXPECT(p, r->lock.try_lock());
    r->lock.unlock();
    r->start.reset();
    EXPECT(p, !r->start.wait(p.self().now()));
    co_return;
  });
  w.run();
}

}  // namespace tp::conformance
