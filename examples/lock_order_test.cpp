// A bug that real runs hardly ever show: a transfer locks the account that it takes from and then the one
// that it gives to, so two in opposite directions may wait for each other for ever. The first test fails, and
// is meant to.
#include <catch2/catch.hpp>
#include <mutex>

#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace {

struct account {
  account(tp::process& p, int n, int b) : lock(p), number(n), balance(b) {}
  tp::mutex lock;
  const int number;
  int balance;  // guarded
};

void move(account& from, account& to, int amount) {
  from.balance -= amount;
  to.balance += amount;
}

void transfer(account& from, account& to, int amount) {
  const std::lock_guard first(from.lock);
  const std::lock_guard second(to.lock);
  move(from, to, amount);
}

void transfer_by_number(account& from, account& to, int amount) {
  const std::lock_guard first(from.number < to.number ? from.lock : to.lock);
  const std::lock_guard second(from.number < to.number ? to.lock : from.lock);
  move(from, to, amount);
}

tp::sim::scenario bank_with(void (&transfer)(account&, account&, int)) {
  return [&transfer](tp::sim::world& world) {
    world.process("bank", world.user("clerk"), [&transfer](tp::process& p) {
      account alice(p, 1, 100), bob(p, 2, 100);
      p.start_thread("rent", [&](tp::thread&) { return transfer(alice, bob, 30), 0; });
      p.start_thread("refund", [&](tp::thread&) { return transfer(bob, alice, 10), 0; });
      const int code = p.join();
      return alice.balance == 80 ? code : 1;
    });
  };
}

}  // namespace

TEST_CASE("two transfers at once") {
  tp::sim::explore({.runs = 1000}, bank_with(transfer));
}

TEST_CASE("two transfers that lock the account with the lower number first") {
  const auto all = tp::sim::explore({.strategy = tp::sim::strategy::exhaustive, .runs = 0, .preemptions = 2},
                                    bank_with(transfer_by_number));
  WARN(all.to_string());
  CHECK(all.exhausted);
}
