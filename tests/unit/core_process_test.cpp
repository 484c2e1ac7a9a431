// Threads of a process: who joins them, what they leave, and a name that is closed while a thread acts for a
// client.
#include <atomic>
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>
#include <condition_variable>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "async/withdrawals.hpp"
#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using trompeloeil::_;

namespace {

class standard_mutex final : public backend::mutex {
 public:
  void lock() override { inside.lock(); }
  bool try_lock() override { return inside.try_lock(); }
  void unlock() noexcept override { inside.unlock(); }
  std::mutex inside;
};

class standard_condition final : public backend::condition {
 public:
  bool wait(backend::mutex& held, time_point) override {
    std::unique_lock lock(static_cast<standard_mutex&>(held).inside, std::adopt_lock);
    inside_.wait(lock);
    lock.release();
    return true;
  }
  void notify_one() noexcept override { inside_.notify_one(); }
  void notify_all() noexcept override { inside_.notify_all(); }

 private:
  std::condition_variable inside_;
};

class standard_thread final : public backend::thread {
 public:
  explicit standard_thread(std::function<void()> body) : inside_(std::move(body)) {}
  void join() override { inside_.join(); }

 private:
  std::thread inside_;
};

/// Real threads on the twin of paper.
class real_threads final : public paper_threads {
 public:
  result<std::unique_ptr<backend::thread>> start_thread(const std::string&,
                                                        std::function<void()> body) override {
    return std::make_unique<standard_thread>(std::move(body));
  }
  std::unique_ptr<backend::mutex> make_mutex(backend::mutex_kind) override {
    return std::make_unique<standard_mutex>();
  }
  std::unique_ptr<backend::condition> make_condition() override {
    return std::make_unique<standard_condition>();
  }
};

struct threaded_process {
  real_threads threads;
  mock_process twin;
  mock_impersonator impersonator;
  std::unique_ptr<trompeloeil::expectation> kept[3] = {
      NAMED_ALLOW_CALL(twin, threads()).LR_RETURN(std::ref(threads)),
      NAMED_ALLOW_CALL(twin, impersonator()).LR_RETURN(std::ref(impersonator)),
      NAMED_ALLOW_CALL(impersonator, active()).RETURN(false)};
  process self{twin};
};

}  // namespace

TEST_CASE("join gives the first result that is not 0 in the order of the starts, again and again") {
  threaded_process p;
  std::latch second_ended(1);
  CHECK(p.self.join() == 0);
  CHECK(p.self.start_thread("good", [](thread&) { return 0; }));
  CHECK(p.self.start_thread("late", [&](thread&) {
    second_ended.wait();
    return 3;
  }));
  CHECK(p.self.start_thread("early", [&](thread& t) {
    second_ended.count_down();
    return t.name() == "early" ? 4 : 5;
  }));
  CHECK(p.self.join() == 3);
  CHECK(p.self.join() == 3);
  CHECK(p.self.start_thread("another", [](thread&) { return 6; }));
  CHECK(p.self.join() == 3);
}

TEST_CASE("every thread that joins waits until all have ended, and gets the same result") {
  for (int round = 0; round < 20; ++round) {
    threaded_process p;
    std::latch joiners(3);
    std::atomic<bool> ended = false;
    CHECK(p.self.start_thread("waits for the joiners", [&](thread&) {
      joiners.wait();
      return 0;
    }));
    CHECK(p.self.start_thread("ends last", [&](thread&) {
      joiners.wait();
      std::this_thread::yield();
      ended = true;
      return 7;
    }));
    std::atomic<int> right = 0;
    std::vector<std::thread> joining;
    for (int i = 0; i < 3; ++i) {
      joining.emplace_back([&] {
        joiners.count_down();
        if (p.self.join() == 7 && ended) ++right;
      });
    }
    for (std::thread& each : joining) each.join();
    CHECK(right == 3);
  }
}

TEST_CASE("an exception that leaves a thread is logged and counts as 1") {
  threaded_process p;
  REQUIRE_CALL(p.twin, log("twinpipe: an exception left the thread 'w\\x0a': no more \\x1b[31m memory"));
  REQUIRE_CALL(p.twin, log("twinpipe: an exception left the thread 'x': no std::exception"));
  CHECK(p.self.start_thread("w\n",
                            [](thread&) -> int { throw std::runtime_error("no more \x1b[31m memory"); }));
  CHECK(p.self.join() == 1);
  CHECK(p.self.start_thread("x", [](thread&) -> int { throw 5; }));
  CHECK(p.self.join() == 1);
}

TEST_CASE("a name that is closed inside run_as_client is given back with the server's own rights") {
  core_rig rig;
  mock_names names;
  const auto bound = std::make_shared<mock_bound_name>();
  ALLOW_CALL(rig.twin, names()).LR_RETURN(std::ref(names));
  ALLOW_CALL(names, bind(_)).LR_RETURN(bound);
  core::terms terms = core_rig::messages();
  terms.server = true;
  terms.level = impersonation_level::impersonation;
  connection c = rig.connect(rig.stream(), terms);
  for (const bool last_copy : {true, false}) {
    std::optional<endpoint> served = *rig.owner->bind("files");
    trompeloeil::sequence order;
    REQUIRE_CALL(rig.impersonator, enter(_))
        .IN_SEQUENCE(order)
        .LR_SIDE_EFFECT(rig.impersonating = true)
        .RETURN(result<void>());
    REQUIRE_CALL(rig.impersonator, revert()).IN_SEQUENCE(order).LR_SIDE_EFFECT(rig.impersonating = false);
    REQUIRE_CALL(*bound, withdraw()).IN_SEQUENCE(order);
    CHECK(c.run_as_client([&] { last_copy ? served.reset() : served->close(); }).has_value());
  }
}
