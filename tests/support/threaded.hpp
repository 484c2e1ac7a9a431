// The asynchronous interface's names over the blocking one: each operation that is awaited is a blocking call
// on a thread of its own.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "support/thread_call.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/runtime.hpp"

namespace tp::test::threaded {

/// One pointer to a call that is made when it is awaited. (g++ 12 destroys temporaries of aggregates twice.)
template <class Result>
class [[nodiscard]] awaitable {
 public:
  awaitable(runtime& home, typed_call<Result>::function what)
      : call_(std::make_unique<typed_call<Result>>(home, std::move(what))) {}
  awaitable(awaitable&& other) noexcept : call_(std::move(other.call_)) {}
  awaitable& operator=(awaitable&&) = delete;
  ~awaitable() = default;

  [[nodiscard]] awaitable&& within(duration d) && noexcept {
    call_->how.within = d;
    return std::move(*this);
  }
  [[nodiscard]] awaitable&& until(time_point deadline) && noexcept {
    call_->how.until = deadline;
    return std::move(*this);
  }
  [[nodiscard]] awaitable&& unless(std::stop_token token) && noexcept {
    call_->how.unless = std::move(token);
    return std::move(*this);
  }

  [[nodiscard]] bool await_ready() { return call_->made_here(); }
  void await_suspend(std::coroutine_handle<> waiter) { call_->start(waiter); }
  [[nodiscard]] Result await_resume() { return call_->take(); }

 private:
  std::unique_ptr<typed_call<Result>> call_;
};

/// Calls that are under way share what they are made on, so that the handle may move or go before them:
/// then it is abort() that ends them.
class connection {
 public:
  connection(runtime& home, blocking::connection made)
      : home_(&home), made_(std::make_shared<blocking::connection>(std::move(made))) {}
  connection(connection&& other) noexcept = default;
  connection& operator=(connection&& other) noexcept {
    if (this != &other && made_ != nullptr) made_->abort();
    home_ = other.home_;
    made_ = std::move(other.made_);
    return *this;
  }
  ~connection() {
    if (made_ != nullptr) made_->abort();
  }

  awaitable<send_result> send(std::span<const std::byte> bytes) {
    return {*home_, [c = made_, bytes](const blocking::limits& how) { return c->send(bytes, how); }};
  }
  awaitable<send_result> send(std::string_view text) { return send(std::as_bytes(std::span(text))); }
  awaitable<result<received>> receive(std::span<std::byte> into) {
    return {*home_, [c = made_, into](const blocking::limits& how) { return c->receive(into, how); }};
  }
  awaitable<result<received>> receive(buffer& into) {
    return {*home_, [c = made_, &into](const blocking::limits& how) { return c->receive(into, how); }};
  }
  awaitable<result<void>> shutdown() {
    return {*home_, [c = made_](const blocking::limits& how) { return c->shutdown(how); }};
  }
  awaitable<result<void>> drain() {
    return {*home_, [c = made_](const blocking::limits& how) { return c->drain(how); }};
  }
  awaitable<result<delivery>> close() {
    return {*home_, [c = made_](const blocking::limits& how) { return c->close(how); }};
  }
  void abort() noexcept { made_->abort(); }
  void disconnect() noexcept { made_->disconnect(); }

  [[nodiscard]] tp::drain_guarantee drain_guarantee() const noexcept { return made_->drain_guarantee(); }
  [[nodiscard]] const identity& peer() const noexcept { return made_->peer(); }
  [[nodiscard]] impersonation_level level() const noexcept { return made_->level(); }
  [[nodiscard]] transmission mode() const noexcept { return made_->mode(); }
  [[nodiscard]] std::uint64_t id() const noexcept { return made_->id(); }

  template <detail::client_callable F>
    requires(!detail::resumable<std::invoke_result_t<F>>)
  auto run_as_client(F&& f) {
    return made_->run_as_client(std::forward<F>(f));
  }

 private:
  runtime* home_;
  std::shared_ptr<blocking::connection> made_;
};

class listener {
 public:
  listener(runtime& home, blocking::listener made)
      : home_(&home), made_(std::make_shared<blocking::listener>(std::move(made))) {}

  awaitable<result<connection>> accept();

 private:
  runtime* home_;
  std::shared_ptr<blocking::listener> made_;
};

/// runtime::connect and runtime::listen.
[[nodiscard]] awaitable<result<connection>> connect(runtime& home, std::string_view name,
                                                    const connect_options& options);
[[nodiscard]] result<listener> listen(runtime& home, const endpoint& endpoint);

}  // namespace tp::test::threaded
