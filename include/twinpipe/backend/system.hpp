// What one thread asks of its operating system: time, connections, and the turns in which operations
// complete.
#pragma once

#include <cstdint>
#include <memory>

#include "twinpipe/backend/names.hpp"
#include "twinpipe/backend/stream.hpp"
#include "twinpipe/time.hpp"

namespace tp::backend {

/// Wakes one system's turn from any thread. It outlives the system, and then does nothing.
class waker {
 public:
  virtual ~waker() = default;
  /// Never blocks and never suspends. Several before one turn count as one.
  virtual void wake() noexcept = 0;
};

/// How a system takes a detached stream on. For one that blocks see process::attach_blocking.
enum class attachment : std::uint8_t {
  half_open,    ///< can always be detached again; for the handshake of an accepted client
  established,  ///< for good
};

enum class turn_result : std::uint8_t {
  progressed,  ///< something completed or a wake came
  timed_out,   ///< `until` was reached
  stalled,     ///< nothing is pending that could ever complete (only a simulator knows)
};

/// How a system is made.
struct system_options {
  wait_strategy wait = wait_strategy::sleep;
  /// A loop of the calling thread on which the system is to live and that the program turns, or null. What it
  /// points to is the twin's: the real one's is a uv_loop_t. It has to outlive the system, and to be run once
  /// more after it: what the system held there closes then.
  void* loop = nullptr;
};

/// One per runtime, used by its thread only.
class system {
 public:
  virtual ~system() = default;

  /// Constant during a turn's callbacks.
  [[nodiscard]] virtual time_point now() const noexcept = 0;

  /// Completes ok at the operation's deadline; one that has passed already is done, or completes in the next
  /// turn.
  virtual start sleep(op& op) = 0;
  /// Completes ok on a later turn; what the core uses to finish an operation outside the call that caused it.
  virtual void schedule(op& op) noexcept = 0;
  virtual start connect(connect_op& op) = 0;
  /// For sleep and connect; see byte_stream::cancel. A scheduled operation can't be cancelled.
  virtual void cancel(op& op) noexcept = 0;

  /// Errors: invalid_argument (no name of this twin), closed (withdrawn; a twin may also leave that to the
  /// first accept), no_resources, io_error.
  [[nodiscard]] virtual result<acceptor_ptr> open(const std::shared_ptr<bound_name>& name) = 0;
  /// A stream that can't be attached is closed. Errors: invalid_argument (null, or no stream of this twin),
  /// no_resources, io_error.
  [[nodiscard]] virtual result<stream_ptr> attach(detached_ptr stream, attachment how) = 0;

  /// Completions, then a wait for the next if there were none, until `until` at most. Completions may start,
  /// cancel, close and release anything. At most 256 immediate completions are granted from one turn to the
  /// next, those of starts outside a turn among them; further starts answer pending.
  /// On a loop that the program lent, that loop is run, and what else is on it with it.
  virtual turn_result turn(time_point until) = 0;
  /// Only on a loop that the program lent: completes what has ended already, and runs nothing else of that
  /// loop. True if something completed.
  virtual bool settle() { return false; }

  /// A descriptor that is readable when a turn would find something to do; the system's for life. Then
  /// turn(), with a time that has passed, keeps it true. not_supported (a twin without one, a loop that the
  /// program lent), no_resources, io_error.
  [[nodiscard]] virtual result<native_handle> poll_handle() { return fail(errc::not_supported); }

  /// `handler(context)` is called in a turn after each wake().
  virtual void on_wake(void (*handler)(void*) noexcept, void* context) noexcept = 0;
  [[nodiscard]] virtual std::shared_ptr<waker> get_waker() = 0;
};

}  // namespace tp::backend
