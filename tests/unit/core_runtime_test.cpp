// The inside of a runtime: its mailbox, stops from other threads, sleep, and its end.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>
#include <thread>

#include "async/sleep_operation.hpp"
#include "core_rig.hpp"
#include "twinpipe/runtime.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

struct note : detail::mail {
  explicit note(std::vector<int>& l, int n) : log(l), number(n) {
    deliver = [](detail::mail& self) noexcept {
      note& me = static_cast<note&>(self);
      me.log.push_back(me.number);
      if (me.then) me.then();
    };
  }
  std::vector<int>& log;
  int number;
  std::function<void()> then;
};

using slept = awaited<result<void>>;

awaitable<result<void>> sleep(detail::runtime_state& runtime, duration d) {
  return awaitable<result<void>>(*new detail::sleep_operation(runtime, d));
}
/// Turns until other threads have done what `there` asks for.
void turn_until(core_rig& rig, const std::function<bool()>& there) {
  const auto enough = std::chrono::steady_clock::now() + 30s;
  while (!there()) {
    if (std::chrono::steady_clock::now() > enough) FAIL("it never comes");
    static_cast<void>(rig.runtime->turn(rig.system->now()));
  }
}

awaitable<result<void>> sleep(core_rig& rig, duration d) {
  return sleep(*rig.runtime, d);
}

}  // namespace

TEST_CASE("notes are delivered in order, each once however often it was posted") {
  core_rig rig;
  std::vector<int> log;
  note a(log, 1), b(log, 2);
  auto& box = rig.runtime->mail();
  CHECK((box.post(a) && box.post(b) && box.post(a)));
  rig.settle();
  CHECK(log == std::vector<int>{1, 2});
  CHECK(box.post(a));
  CHECK(box.retract(a));
  CHECK_FALSE(box.retract(a));
  rig.settle();
  CHECK(log == std::vector<int>{1, 2});
}

TEST_CASE("a delivery may retract the next note, and what it posts comes in a later turn") {
  core_rig rig;
  std::vector<int> log;
  note a(log, 1), b(log, 2), c(log, 3);
  auto& box = rig.runtime->mail();
  a.then = [&] {
    box.retract(b);
    box.post(c);
  };
  box.post(a);
  box.post(b);
  static_cast<void>(rig.runtime->turn(rig.system->now()));
  rig.settle();
  CHECK(log == std::vector<int>{1, 3});
}

TEST_CASE("a note that posts itself again does not keep a turn from ending") {
  core_rig rig;
  std::vector<int> log;
  note again(log, 1), last(log, 2);
  auto& box = rig.runtime->mail();
  int left = 50;
  again.then = [&] {
    box.retract(last);
    if (--left > 0) box.post(again);
  };
  box.post(again);
  box.post(last);
  static_cast<void>(rig.runtime->turn(rig.system->now()));
  CHECK(log.size() <= 2);
  rig.settle();
  CHECK(log.size() == 50);
}

TEST_CASE("a closed mailbox takes no notes") {
  core_rig rig;
  const auto box = rig.runtime->shared_mail();
  rig.runtime.reset();
  std::vector<int> log;
  note a(log, 1);
  CHECK_FALSE(box->post(a));
}

TEST_CASE("many threads post and every note arrives") {
  core_rig rig;
  constexpr int threads = 4, each = 2000;
  std::vector<int> log;
  std::deque<note> notes;
  for (int i = 0; i < threads * each; ++i) notes.emplace_back(log, i);
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) rig.runtime->mail().post(notes[static_cast<std::size_t>(t * each + i)]);
    });
  }
  turn_until(rig, [&] { return log.size() >= threads * each; });
  for (std::thread& t : running) t.join();
  CHECK(log.size() == threads * each);
}

TEST_CASE("a stop from another thread is heard on the runtime's own, or comes too late and harms nobody") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  int cancelled = 0, received_ = 0;
  for (int i = 0; i < 200; ++i) {
    std::stop_source source;
    buffer into;
    awaited<result<received>> got;
    rig.go(c.receive(into).unless(source.get_token()), got);
    std::thread other([&] { source.request_stop(); });
    if (i % 2 == 0) stream.feed(message_frames(bytes_of("x")));
    turn_until(rig, [&] { return got.done(); });
    other.join();
    got.code() == errc::cancelled ? ++cancelled : ++received_;
    if (got.code() == errc::cancelled && i % 2 == 0) {
      rig.go(c.receive(into), got);
      rig.settle();
      CHECK(into.text() == "x");
    }
  }
  CHECK((cancelled >= 100 && cancelled + received_ == 200));
}

TEST_CASE("a sleep ends at its time, its deadline or its stop") {
  core_rig rig;
  slept done;
  const time_point begin = rig.system->now();
  rig.go(sleep(rig, 3s), done);
  rig.pass(2s);
  CHECK_FALSE(done.done());
  rig.pass(1s);
  CHECK((done.done() && done.code() == errc::none && rig.system->now() - begin == 3s));
  rig.go(sleep(rig, 3s).within(1s), done);
  rig.pass(1s);
  CHECK(done.code() == errc::timed_out);
  std::stop_source source;
  rig.go(sleep(rig, 3s).unless(source.get_token()), done);
  rig.user_call([&] { source.request_stop(); });
  CHECK_FALSE(done.done());
  rig.settle();
  CHECK((done.code() == errc::cancelled && rig.system->timers() == 0));
  rig.system->sleeps_at_once = true;
  rig.go(sleep(rig, 0s), done);
  CHECK((done.at_once && done.code() == errc::none));
}

namespace {

struct sleeper final : detail::resident {
  sleeper(detail::runtime_state& runtime, bool& g) : resident(runtime), gone(g) {}
  ~sleeper() override { gone = true; }
  void evict() noexcept override {}
  bool& gone;
};

}  // namespace

TEST_CASE("nobody is kept for the end of a sleep that a dead process began") {
  core_rig rig;
  rig.system->dead = true;
  bool gone = false;
  backend::op timer([](backend::op&) noexcept {}, nullptr);
  {
    const detail::ref<sleeper> owner(new sleeper(*rig.runtime, gone));
    rig.runtime->sleep(timer, *owner);
  }
  CHECK((gone && !timer.pending()));
}

TEST_CASE("a stop that comes when a sleep has just ended comes too late") {
  for (const bool by_deadline : {true, false}) {
    core_rig rig;
    rig.system->cancel_meets_timer = true;
    std::stop_source source;
    slept done;
    rig.go(sleep(rig, 3s).within(by_deadline ? 1s : 5s).unless(source.get_token()), done);
    source.request_stop();
    rig.settle();
    CHECK((done.done() && done.code() == (by_deadline ? errc::timed_out : errc::none)));
  }
}

TEST_CASE("a runtime that ends lets a loop that never gives up see closed, again and again") {
  auto rig = std::make_unique<core_rig>();
  int closed = 0;
  const auto loop = [](detail::runtime_state& on, int& count) -> detail::root {
    while (count < 3) {
      const auto r = co_await sleep(on, 1s);
      if (!r && r.error() == errc::closed) ++count;
    }
  };
  loop(*rig->runtime, closed);
  rig.reset();
  CHECK(closed == 3);
}

TEST_CASE("what is posted is called in a later turn, and not at all when the runtime is gone") {
  core_rig rig;
  std::unique_ptr<paper_system> made = std::make_unique<paper_system>();
  paper_system& system = *made;
  ALLOW_CALL(rig.twin, make_system(trompeloeil::_))
      .LR_RETURN(std::unique_ptr<backend::system>(std::move(made)));
  auto runtime = tp::runtime::create(*rig.owner);
  REQUIRE(runtime);
  int called = 0;
  (*runtime)->post([&] { ++called; });
  CHECK(called == 0);
  static_cast<void>((*runtime)->turn(system.now()));
  CHECK(called == 1);
  (*runtime)->post([&] { ++called; });
  runtime->reset();
  CHECK(called == 1);
}

TEST_CASE("run returns the value of its task and throws its exception") {
  core_rig rig;
  ALLOW_CALL(rig.twin, make_system(trompeloeil::_))
      .RETURN(std::unique_ptr<backend::system>(std::make_unique<paper_system>()));
  const int value = rig.owner->run([](runtime& rt) -> task<int> {
    if (!co_await rt.sleep(1s)) co_return 1;
    co_return 7;
  });
  CHECK(value == 7);
  CHECK_THROWS_AS(rig.owner->run([](runtime& rt) -> task<int> {
    if (!co_await rt.sleep(1s)) co_return 1;
    throw std::runtime_error("main");
  }),
                  std::runtime_error);
}

TEST_CASE("a system that cannot be made is the error of the runtime") {
  core_rig rig;
  ALLOW_CALL(rig.twin, make_system(trompeloeil::_)).RETURN(fail(errc::no_resources));
  const auto made = runtime::create(*rig.owner);
  REQUIRE_FALSE(made);
  CHECK((made.error() == errc::no_resources && made.error().what_failed() == operation::start_runtime));
}
