// What every awaited operation shares: its waiter, deadline, stop token, and its place in a runtime's queues.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

#include "twinpipe/error.hpp"
#include "twinpipe/time.hpp"

namespace tp::detail {

class runtime_state;

/// Aborts: an awaitable was moved from, or its result was taken.
[[noreturn, gnu::cold]] void refuse_spent_awaitable() noexcept;

/// A note for a runtime, from any thread. It is linked into the mailbox, so posting allocates nothing;
/// whoever owns it retracts it before it dies.
struct mail {
  void (*deliver)(mail&) noexcept = nullptr;
  mail* next = nullptr;
  mail* previous = nullptr;
  bool queued = false;  ///< guarded by the mailbox
};

/// One operation from the call that configures it to the await that takes its result. Nodes live in the
/// object they are an operation of, and are used again: an awaiter is one pointer to its node.
class operation_base {
 public:
  enum class phase : std::uint8_t { idle, configured, pending, completed };

  operation_base(runtime_state& runtime, tp::operation kind) noexcept;
  operation_base(const operation_base&) = delete;
  operation_base& operator=(const operation_base&) = delete;

  void expire_after(duration d) noexcept;
  void expire_at(time_point deadline) noexcept { deadline_ = deadline; }
  void stop_with(std::stop_token token) noexcept { token_ = std::move(token); }

  /// The coroutine waits; null: a thread does, until the operation is no longer pending. Registers the stop
  /// token: only now, because an operation that was done at once needs none.
  void park(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    if (token_.stop_possible()) hook();
  }

  [[nodiscard]] phase current() const noexcept { return phase_; }
  [[nodiscard]] bool pending() const noexcept { return phase_ == phase::pending; }
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  [[nodiscard]] bool may_be_stopped() const noexcept { return token_.stop_possible(); }
  [[nodiscard]] tp::operation kind() const noexcept { return kind_; }

  /// Starts it; true if it is done already.
  [[nodiscard]] virtual bool start() = 0;
  /// It will not be awaited, or its waiter was destroyed.
  virtual void abandon() noexcept = 0;
  /// As a stop request does; on the runtime's thread.
  void ask_to_end() noexcept {
    if (pending()) on_stop();
  }

 protected:
  ~operation_base() = default;

  /// Asks the pending operation to end, for a stop request; on the runtime's thread, in a turn.
  virtual void on_stop() noexcept = 0;

  void configure() noexcept;
  /// Is there a reason not to start at all: a stop that was requested before, an impersonation, a runtime
  /// that ends? A deadline that has passed is none: it still allows one attempt.
  [[nodiscard]] errc refuse_start() const noexcept;
  void begin() noexcept { phase_ = phase::pending; }
  /// For a start that is done at once.
  void finish_now() noexcept { phase_ = phase::completed; }
  /// Resumes the waiter inside this call; only from a turn.
  void complete() noexcept;
  /// Resumes the waiter on a later turn; from anywhere on the runtime's thread.
  void complete_later() noexcept;
  /// Ends the use of the node.
  void retire() noexcept;
  /// The coroutine that waits was destroyed, or never awaited. A pending operation makes it a programming
  /// error, unless its process was killed: then it is true, and abandon() is called once more when it has
  /// ended.
  [[nodiscard]] bool outlives_waiter() noexcept;

  runtime_state& runtime_;

 private:
  friend class runtime_state;
  struct stop_hook {
    operation_base* self;
    void operator()() const noexcept;
  };
  static void deliver_stop(mail& note) noexcept;
  [[noreturn, gnu::cold]] static void refuse_second_await() noexcept;
  void hook();
  void unhook() noexcept;
  void forget_token() noexcept;

  std::coroutine_handle<> waiter_;
  time_point deadline_ = never;
  std::stop_token token_;
  phase phase_ = phase::idle;
  tp::operation kind_;
  bool hooked_ = false;
  bool orphaned_ = false;  ///< see outlives_waiter()
  operation_base* next_ready_ = nullptr;
  // Only while somebody may stop it.
  std::optional<std::stop_callback<stop_hook>> hook_;
  struct stop_mail : mail {
    operation_base* self = nullptr;
  } stop_mail_;
};

/// An operation that ends with a Result.
template <class Result>
class typed_operation : public operation_base {
 public:
  using operation_base::operation_base;
  /// Once, after the completion; it ends the use of the node.
  [[nodiscard]] virtual Result take() = 0;

 protected:
  ~typed_operation() = default;
};

}  // namespace tp::detail
