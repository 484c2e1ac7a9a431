// A thread's loop: it runs tasks and completes their operations.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "twinpipe/awaitable.hpp"
#include "twinpipe/backend/stream.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/endpoint.hpp"
#include "twinpipe/error.hpp"
#include "twinpipe/files.hpp"
#include "twinpipe/listener.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/task.hpp"
#include "twinpipe/time.hpp"

namespace tp {

class process;
class runtime;

namespace detail {
class runtime_state;

struct runtime_maker {
  /// `loop`: one of the program's, of a kind that the twin knows; or null.
  [[nodiscard]] static result<std::unique_ptr<runtime>> make(process& owner, const runtime_options& options,
                                                             void* loop);
};

/// A task that nobody awaits: it starts at once, tells `done` when it ends, and its frame frees itself.
class root {
 public:
  struct promise_type : counted_task {
    root get_return_object() noexcept {
      return root{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  explicit root(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  /// Of one that has not ended, and whose process was killed.
  void destroy() const { frame_.destroy(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

/// Where the value or exception of run() waits for its caller.
template <class T>
struct outcome_slot {
  std::optional<T> value;
  std::exception_ptr exception;
  bool done = false;

  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};
template <>
struct outcome_slot<void> {
  std::exception_ptr exception;
  bool done = false;
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

template <class T>
root run_root(task<T> body, outcome_slot<T>& slot) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(body);
    } else {
      slot.value.emplace(co_await std::move(body));
    }
  } catch (...) {
    slot.exception = std::current_exception();
  }
  slot.done = true;
}
}  // namespace detail

/// What a turn of a runtime found to do.
enum class turned : std::uint8_t {
  progressed,  ///< something completed
  timed_out,   ///< nothing did, until the time given
  stalled,     ///< nothing is pending that ever could (only a simulated runtime knows)
};

/// Belongs to the thread that made it, as does everything made on it; another thread's use aborts the program
/// (send, receive and turn check in a debug build of the library only). post() and stop sources are the
/// exceptions. Scale by a runtime per thread that share an endpoint. It must outlive what was
/// made on it; what still runs inside when it is destroyed is closed, and its waiters resume with `closed`.
class runtime {
 public:
  /// Errors: no_resources, io_error, not_while_impersonating.
  [[nodiscard]] static result<std::unique_ptr<runtime>> create(process& owner,
                                                               const runtime_options& options = {});
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  ~runtime();

  /// Runs the task on this thread until it has ended; other tasks of the runtime run meanwhile. Its value is
  /// returned, an exception that left it is thrown. If nothing can ever complete any more (a simulated world
  /// knows), the program is aborted with a message; and so it is, as by turn(), if the task has to wait and
  /// this was called inside a turn or inside run_as_client.
  template <class T>
  T run(task<T> body) {
    detail::outcome_slot<T> slot;
    const detail::root running = detail::run_root(std::move(body), slot);
    while (!slot.done) {
      if (turn_for_run()) continue;
      running.destroy();
      throw detail::process_killed();
    }
    return slot.take();
  }

  /// One turn: the operations that have ended complete, and if there are none it waits for the first, `until`
  /// at most. Called inside a turn of this runtime, hence by any coroutine or callback that a turn resumes,
  /// or inside run_as_client, it aborts the program.
  turned turn(time_point until = never);

  /// For a program with a loop of its own (epoll, poll, Asio, Qt): a descriptor that is readable while
  /// run_ready() has something to do, a deadline that has come included. The program waits for it with all
  /// else, and calls run_ready() when it is readable. It stays the runtime's, and the same; don't read from
  /// it. For a uv_loop_t see uv.hpp. Errors: not_supported (Windows; a simulated runtime, which turns in
  /// virtual time; a runtime on a lent uv_loop_t, which is turned by that), no_resources, io_error.
  [[nodiscard]] result<backend::native_handle> poll_handle();
  /// One turn that doesn't wait; see turn(). What it leaves to do shows in poll_handle() again.
  turned run_ready() { return turn(time_point::min()); }

  /// Connects to an endpoint. A client waits until an instance is free. The first bytes it writes go to a
  /// server that expected_server allows, by the kernel's word. Name and options are copied before this
  /// returns. Errors: not_found (nobody listens; with wait_for_server never), busy (all instances taken, or
  /// the backlog full, until the deadline), timed_out (no server until the deadline), server_gone (it left
  /// while this client waited), access_denied (the system's permissions on the way to the name, or the
  /// server's policy; the text says which), untrusted_server, untrusted_location, invalid_name,
  /// name_too_long, invalid_argument, not_supported, mode_mismatch, direction_mismatch, version_mismatch,
  /// feature_refused, app_protocol_mismatch, early_data_refused, overloaded, closing, peer_is_not_twinpipe,
  /// protocol_error, cancelled, closed (the runtime ends), no_resources, io_error, not_while_impersonating.
  awaitable<result<connection>> connect(std::string_view name, const connect_options& options = {});

  /// Serves an endpoint on this runtime. Errors: closed, invalid_argument (an endpoint of another twin),
  /// no_resources, io_error, not_while_impersonating.
  [[nodiscard]] result<listener> listen(const endpoint& endpoint);

  /// Waits. A deadline set with within() only shortens it (timed_out). Errors: cancelled, timed_out, closed
  /// (the runtime ends), not_while_impersonating.
  awaitable<result<void>> sleep(duration d);

  /// Calls `f` on this runtime's thread, in a later turn. Thread-safe; `f` must not throw. What is posted
  /// when the runtime is destroyed isn't called.
  void post(std::function<void()> f);

  /// The time of this turn: constant while completions run.
  [[nodiscard]] time_point now() const noexcept;
  [[nodiscard]] tp::files files() const noexcept;
  [[nodiscard]] process& owner() const noexcept;

 private:
  friend struct detail::runtime_maker;
  explicit runtime(std::unique_ptr<detail::runtime_state> state) noexcept;
  /// False: the process was killed, and nothing is left that could complete.
  [[nodiscard]] bool turn_for_run();

  std::unique_ptr<detail::runtime_state> state_;
};

}  // namespace tp
