// A twin of paper for the tests of the core: mocks of the seam, and time that a test moves by hand.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "twinpipe/backend/process.hpp"

namespace tp::test {

struct mock_stream final : backend::byte_stream {
  MAKE_MOCK1(read, backend::start(backend::read_op&), override);
  MAKE_MOCK1(write, backend::start(backend::write_op&), override);
  MAKE_MOCK1(shutdown, backend::start(backend::op&), override);
  MAKE_MOCK1(drain, backend::start(backend::drain_op&), override);
  MAKE_MOCK1(cancel, void(backend::op&), noexcept override);
  MAKE_MOCK0(close, void(), noexcept override);
  MAKE_MOCK0(release, void(), noexcept override);
  MAKE_MOCK0(detach, backend::detached_ptr(), noexcept override);
  [[nodiscard]] const identity& peer() const noexcept override { return who; }
  identity who;
};

struct mock_acceptor final : backend::acceptor {
  MAKE_MOCK1(accept, backend::start(backend::accept_op&), override);
  MAKE_MOCK1(cancel, void(backend::op&), noexcept override);
  MAKE_MOCK0(close, void(), noexcept override);
  MAKE_MOCK0(release, void(), noexcept override);
};

struct mock_bound_name final : backend::bound_name {
  MAKE_MOCK0(withdraw, void(), noexcept override);
  [[nodiscard]] const std::string& location() const noexcept override { return place; }
  [[nodiscard]] const std::string& unenforced() const noexcept override { return nothing; }
  std::string place = "/paper/name";
  std::string nothing;
};

struct mock_names final : backend::names {
  MAKE_MOCK1(bind, result<std::shared_ptr<backend::bound_name>>(const backend::bind_request&), override);
};

struct mock_impersonator final : backend::impersonator {
  MAKE_CONST_MOCK1(check, result<void>(const identity&), override);
  MAKE_MOCK1(enter, result<void>(const identity&), override);
  MAKE_MOCK0(revert, void(), noexcept override);
  MAKE_CONST_MOCK0(active, bool(), noexcept override);
};

struct mock_process final : backend::process {
  MAKE_CONST_MOCK0(features, backend::capabilities(), noexcept override);
  MAKE_CONST_MOCK0(self, const identity&(), noexcept override);
  MAKE_MOCK0(names, backend::names&(), noexcept override);
  MAKE_MOCK0(files, backend::files&(), noexcept override);
  MAKE_MOCK0(impersonator, backend::impersonator&(), noexcept override);
  MAKE_MOCK0(threads, backend::threads&(), noexcept override);
  MAKE_MOCK0(make_system, result<std::unique_ptr<backend::system>>(), override);
  MAKE_MOCK1(attach_blocking, result<backend::blocking_stream_ptr>(backend::detached_ptr), override);
  MAKE_MOCK0(make_interrupt, result<std::unique_ptr<backend::interrupt>>(), override);
  MAKE_MOCK2(adopt, result<backend::detached_ptr>(backend::native_handle, backend::native_handle), override);
  MAKE_MOCK1(log, void(std::string_view), noexcept override);
};

/// Real locks, so that tests with threads mean something; no real time and no chance.
class paper_threads : public backend::threads {
 public:
  result<std::unique_ptr<backend::thread>> start_thread(const std::string&, std::function<void()>) override;
  std::unique_ptr<backend::mutex> make_mutex(backend::mutex_kind) override;
  std::unique_ptr<backend::condition> make_condition() override { return nullptr; }
  std::unique_ptr<backend::event> make_event() override { return nullptr; }
  [[nodiscard]] std::uint64_t this_thread() const noexcept override;
  [[nodiscard]] time_point now() const noexcept override { return time_point{}; }
  void sleep_until(time_point) override {}
  void random(std::span<std::byte> fill) noexcept override;
  std::byte chance{0};  ///< every random byte
};

/// A system whose turns run what was said to be ready, and whose clock jumps to the next timer when nothing
/// is. What a twin connects, opens and attaches is the test's business.
class paper_system final : public backend::system {
 public:
  ~paper_system() override;

  MAKE_MOCK1(connect, backend::start(backend::connect_op&), override);
  MAKE_MOCK1(open, result<backend::acceptor_ptr>(const std::shared_ptr<backend::bound_name>&), override);
  MAKE_MOCK2(attach, result<backend::stream_ptr>(backend::detached_ptr, backend::attachment), override);

  [[nodiscard]] time_point now() const noexcept override { return now_; }
  backend::start sleep(backend::op& op) override;
  void schedule(backend::op& op) noexcept override;
  void cancel(backend::op& op) noexcept override;
  backend::turn_result turn(time_point until) override;
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override;
  std::shared_ptr<backend::waker> get_waker() override;

  /// Completes a pending operation in a later turn.
  void later(backend::op& op, backend::status status, std::size_t n = 0);
  /// For cancel of a connect: what a test wants to happen.
  std::function<void(backend::op&)> on_cancel_connect = [](backend::op&) {};
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }
  bool cancel_meets_timer = false;  ///< a cancelled sleep has just ended by itself
  bool sleeps_at_once = false;      ///< sleep answers done for a time that has come
  bool dead = false;                ///< its process was killed: no sleep, and what is scheduled is forgotten

 private:
  struct waker;
  struct finished {
    backend::op* op;
    backend::status status;
    std::size_t n;
  };
  time_point now_ = time_point(std::chrono::hours(1));
  std::deque<finished> ready_;
  std::vector<backend::op*> timers_;
  std::shared_ptr<waker> waker_;
  void (*wake_handler_)(void*) noexcept = nullptr;
  void* wake_context_ = nullptr;
};

}  // namespace tp::test
