// Programs that do what twinpipe forbids, each in a process of its own: how it ends, and what it says.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <coroutine>
#include <csignal>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "platform_support.hpp"
#include "support/skip.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/runtime.hpp"
#include "twinpipe/uv.hpp"

namespace tp::test {
namespace {

#ifdef NDEBUG
constexpr bool debug_build = false;
#else
constexpr bool debug_build = true;
#endif

struct ending {
  int code;
  std::string said;  // on standard error
};

ending run_alone(const std::function<void(tp::process&, runtime&)>& program) {
  std::array<int, 2> said{};
  REQUIRE(::pipe2(said.data(), O_CLOEXEC) == 0);
  child process([&](const child::handle&) {
    ::dup2(said[1], STDERR_FILENO);
    rig rig;
    tp::process self(*rig.process);
    const auto loop = runtime::create(self).value();
    program(self, *loop);
    return 0;
  });
  ::close(said[1]);
  ending got{process.wait(), std::string(1000, '\0')};
  const ssize_t length = ::read(said[0], got.said.data(), got.said.size());
  got.said.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  ::close(said[0]);
  return got;
}

// A coroutine whose frame anybody may destroy, which tp::task doesn't offer.
struct loose {
  struct promise_type {
    loose get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};

loose sleeps(runtime& on) {
  static_cast<void>(co_await on.sleep(1h));
}

// Whether a process ends for what a foreign thread does there, with the sentence that says so.
bool is_refused(const std::function<void(tp::process&, runtime&)>& misuse) {
  const ending got =
      run_alone([&](tp::process& self, runtime& on) { std::jthread foreign([&] { misuse(self, on); }); });
  return got.code == -SIGABRT && got.said.find("by a thread that it doesn't belong to") != std::string::npos;
}

}  // namespace

TEST_CASE("destroying a coroutine that waits ends the process, and the operation is named") {
  const ending got = run_alone([](tp::process&, runtime& on) { sleeps(on).frame.destroy(); });
  CHECK(got.code == -SIGABRT);
  CHECK(got.said.find("destroyed while it waited to sleep") != std::string::npos);
}

TEST_CASE("a foreign thread that turns a runtime ends the process in a debug build") {
  if (!debug_build) return skip("a release build doesn't check these calls");
  CHECK(is_refused([](tp::process& self, runtime& on) { static_cast<void>(on.turn(self.now())); }));
}

TEST_CASE("a foreign thread that begins or ends something on a runtime ends the process in every build") {
  CHECK(is_refused([](tp::process&, runtime& on) { static_cast<void>(sleeps(on)); }));
  CHECK(is_refused([](tp::process&, runtime& on) { static_cast<void>(on.connect("unix-abstract:absent")); }));
  CHECK(is_refused([](tp::process& self, runtime& on) {
    const auto served = self.bind("unix-abstract:twinpipe-test-" + std::to_string(::getpid()));
    static_cast<void>(on.listen(*served));
  }));
  CHECK(is_refused([](tp::process&, runtime& on) { static_cast<void>(on.poll_handle()); }));
}

TEST_CASE("a blocking listener destroyed while a thread waits in its accept ends the process") {
  const ending got = run_alone([](tp::process& self, runtime&) {
    const auto served = self.bind("unix-abstract:twinpipe-test-" + std::to_string(::getpid()));
    std::optional<blocking::listener> door(blocking::listen(self, *served).value());
    std::jthread accepts([&] { static_cast<void>(door->accept({.within = 20s})); });
    while (served->statistics().instances == 0) std::this_thread::yield();
    door.reset();
  });
  CHECK(got.code == -SIGABRT);
  CHECK(got.said.find("a blocking listener was destroyed while another thread") != std::string::npos);
}

TEST_CASE("a runtime on a program's loop that ends or turns inside one of its completions ends the process") {
  const auto ends_with = [](std::string_view sentence, void (*act)(std::unique_ptr<runtime>&)) {
    const ending got = run_alone([&](tp::process& self, runtime&) {
      uv_loop_t loop{};
      uv_loop_init(&loop);
      auto lent = uv::create_runtime(self, loop).value();
      lent->post([&] { act(lent); });
      static_cast<void>(lent->turn(self.now() + 5s));
    });
    CHECK(got.code == -SIGABRT);
    CHECK(got.said.find(sentence) != std::string::npos);
  };
  ends_with("a runtime was turned inside one of its own turns",
            [](std::unique_ptr<runtime>& lent) { static_cast<void>(lent->turn()); });
  ends_with("a runtime was destroyed inside one of its own turns",
            [](std::unique_ptr<runtime>& lent) { lent.reset(); });
}

TEST_CASE("a child that is forked and never execs keeps the name after its parent, and the error says so") {
  temporary_directory directory;
  std::array<int, 2> life{};
  REQUIRE(::pipe2(life.data(), O_CLOEXEC) == 0);
  child parent([&](const child::handle&) {
    rig rig;
    const auto bound = rig.bind(request_for(directory / "a"));
    if (::fork() == 0) {
      ::close(life[1]);
      char byte;
      ::_exit(static_cast<int>(::read(life[0], &byte, 1)));
    }
    ::_exit(0);
    return 0;
  });
  CHECK(parent.wait() == 0);
  rig rig;
  const auto refused = rig.process->names().bind(request_for(directory / "a"));
  REQUIRE(!refused);
  CHECK(refused.error() == errc::name_in_use);
  CHECK(refused.error().subject().find("forked") != std::string_view::npos);
  ::close(life[1]);
  rig.turn_until([&] { return rig.process->names().bind(request_for(directory / "a")).has_value(); });
  ::close(life[0]);
}

}  // namespace tp::test
