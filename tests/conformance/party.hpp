// A party of a conformance case: its runtime, and calls that must succeed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "conformance/world.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/runtime.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::conformance {

using location = std::source_location;

/// An endpoint and a listener on it.
struct service {
  endpoint served;
  listener door;
};

class party {
 public:
  party(world& in, host& process, std::string label, world::body body);
  party(const party&) = delete;
  party& operator=(const party&) = delete;
  ~party();

  [[nodiscard]] runtime& rt() noexcept { return *runtime_; }
  [[nodiscard]] tp::process& self() noexcept;
  [[nodiscard]] world& in() noexcept { return world_; }
  /// Requested when the world has to end.
  [[nodiscard]] std::stop_token stop() const noexcept { return world_.stop(); }
  /// How long an operation may take that ought to succeed; of the twin's time.
  [[nodiscard]] duration patience() const noexcept;

  /// `co_await p.bounded(c.receive(b))`: with that patience, and ended with the world. For a case's own
  /// deadline write
  /// `.within(50ms).unless(p.stop())`, for its own token use a stopper.
  template <class R>
  [[nodiscard]] awaitable<R> bounded(awaitable<R> what, location at = location::current()) {
    note(at);
    return std::move(what).within(patience()).unless(stop());
  }
  /// `co_await p.wait(f)`: until another party has set the flag.
  [[nodiscard]] flag::awaiter wait(flag& what, location at = location::current()) {
    note(at);
    return {what, *this};
  }
  /// `co_await p.sleep(10ms)`.
  [[nodiscard]] task<void> sleep(duration d, location at = location::current());
  /// Runs both beside each other on this runtime, and ends when both have; if one of them fails the party
  /// does.
  [[nodiscard]] task<void> beside(task<void> one, task<void> other);

  // Calls that must succeed; else the party fails. bind and connect use the world's directory unless the
  // options name one: bind that of the party's user, connect that of the own user.

  endpoint bind(std::string_view name, endpoint_options options = {}, location at = location::current());
  [[nodiscard]] listener listen(const endpoint& served, location at = location::current());
  /// Both; then sets the flag, so that clients come.
  [[nodiscard]] service serve(flag& ready, std::string_view name, const endpoint_options& options = {},
                              location at = location::current());
  [[nodiscard]] task<connection> accept(listener& door, location at = location::current());
  [[nodiscard]] task<connection> connect(std::string_view name, connect_options options = {},
                                         location at = location::current());
  /// All of `text`, which must live until the send completes.
  [[nodiscard]] task<void> send(connection& to, std::string_view text, location at = location::current());
  /// The same to a peer that may leave as soon as it has read enough of it.
  [[nodiscard]] task<void> send_if_heard(connection& to, std::string_view text,
                                         location at = location::current());
  /// One receive into a buffer: a whole message, or some bytes. The end is a failure.
  [[nodiscard]] task<std::string> receive(connection& from, location at = location::current());
  /// Receives exactly these words: as one message, or in byte mode in as many parts as they come.
  [[nodiscard]] task<void> hear(connection& from, std::string_view words, location at = location::current());
  /// The same, of which the beginning has been received already.
  [[nodiscard]] task<void> hear_on(connection& from, std::string begun, std::string_view words,
                                   location at = location::current());
  /// Byte mode: exactly so many.
  [[nodiscard]] task<std::string> receive_bytes(connection& from, std::size_t count,
                                                location at = location::current());
  /// The next thing received is the end; what it said is returned.
  [[nodiscard]] task<received> receive_end(connection& from, location at = location::current());

  // The same that may fail, with directory and, where they wait, bounds.

  [[nodiscard]] result<endpoint> try_bind(std::string_view name, endpoint_options options = {});
  /// For deadlines or tokens of your own: `p.attempt(name, options).within(50ms).unless(p.stop())`.
  [[nodiscard]] awaitable<result<connection>> attempt(std::string_view name, connect_options options = {});
  [[nodiscard]] awaitable<result<connection>> try_connect(std::string_view name, connect_options options = {},
                                                          location at = location::current()) {
    return bounded(attempt(name, options), at);
  }
  /// Where a program that names no directory looks.
  [[nodiscard]] awaitable<result<connection>> search(std::string_view name);
  [[nodiscard]] result<listener> try_listen(const endpoint& served) { return listen_on(rt(), served); }
  /// A peer without manners: a plain stream to wherever the name leads. What it sends is what is on the wire.
  [[nodiscard]] task<connection> raw_client(std::string_view name, location at = location::current());

  // Verdicts on results.

  /// The value; an error fails the party.
  template <class T>
  T value(result<T> outcome, location at = location::current()) {
    if (!outcome) fail(at, "unexpected error: " + outcome.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*outcome);
  }
  /// The error, whose code must be this one.
  template <class T>
  error refusal(const result<T>& outcome, errc expected, location at = location::current()) {
    if (outcome) fail(at, "success where '" + std::string(to_string(expected)) + "' was expected");
    if (outcome.error().code() != expected) {
      fail(at, "expected '" + std::string(to_string(expected)) + "', got: " + outcome.error().message());
    }
    return outcome.error();
  }
  /// Ends this party, and with it the world.
  [[noreturn]] void fail(const location& at, const std::string& text) {
    world_.fail(at, label_ + ": " + text);
  }

  // For the twin's loop over its parties.

  /// Where its threads are; made at the first call.
  [[nodiscard]] tp::process& home();
  [[nodiscard]] const std::string& label() const noexcept { return label_; }
  /// On the thread that will turn it: makes process and runtime, and starts the body.
  void begin();
  turned turn(time_point until) { return runtime_->turn(until); }
  [[nodiscard]] bool begun() const noexcept { return runtime_ != nullptr; }
  [[nodiscard]] bool ended() const;
  /// On that thread: destroys the runtime.
  void finish();
  [[nodiscard]] user who() const noexcept;
  /// "server at cases_names.cpp:42".
  [[nodiscard]] std::string doing() const;

 private:
  friend class flag;
  task<void> guarded();
  void end();
  void note(const location& at);

  world& world_;
  host& host_;
  const std::string label_;
  const world::body body_;
  std::unique_ptr<runtime> runtime_;
  task_group group_;
  location at_ = location::current();  ///< guarded by the world, as is ended_
  bool ended_ = false;
};

/// A stop source of a case's own whose token is stopped, too, when the world has to end. Operations that use
/// it should have a deadline as well: `.within(p.patience()).unless(mine.token())`.
class stopper {
 public:
  explicit stopper(const party& who) : hook_(who.stop(), request{source_}) {}
  [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }
  void request_stop() noexcept { source_.request_stop(); }

 private:
  struct request {
    std::stop_source source;
    void operator()() noexcept { source.request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<request> hook_;
};

}  // namespace tp::conformance
