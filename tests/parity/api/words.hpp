// The two interfaces that a script may be about, under the same names: awaited, and in calls that wait.
#pragma once

#include <coroutine>
#include <string_view>
#include <utility>

#include "support/threaded.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::test::parity::api {

/// What was there when it was asked for.
template <class R>
class [[nodiscard]] already {
 public:
  explicit already(R value) noexcept : value_(std::move(value)) {}
  [[nodiscard]] bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  [[nodiscard]] R await_resume() { return std::move(value_); }

 private:
  R value_;
};

struct awaited {
  using connection = tp::connection;
  using listener = tp::listener;
  template <class R>
  using awaitable = tp::awaitable<R>;
  static awaitable<result<connection>> connect(runtime& home, std::string_view name,
                                               const connect_options& how) {
    return home.connect(name, how);
  }
  static already<result<listener>> listen(runtime& home, const endpoint& served) {
    return already(home.listen(served));
  }
};

/// Each operation is a call on a thread of its own.
struct blocking_words {
  using connection = threaded::connection;
  using listener = threaded::listener;
  template <class R>
  using awaitable = threaded::awaitable<R>;
  static awaitable<result<connection>> connect(runtime& home, std::string_view name,
                                               const connect_options& how) {
    return threaded::connect(home, name, how);
  }
  /// In a thread, because what a listener waits with must be one's of the world, and not the outside's.
  static awaitable<result<listener>> listen(runtime& home, const endpoint& served) {
    return {home, [&home, served](const blocking::limits&) { return threaded::listen(home, served); }};
  }
};

/// The thread of a killed simulated process ends without a word: who waits for its call gets process_killed.
void resume_killed(runtime& home);

}  // namespace tp::test::parity::api
