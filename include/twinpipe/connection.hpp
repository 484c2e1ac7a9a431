// A connection between a client and a server: full duplex, asynchronous.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "twinpipe/awaitable.hpp"
#include "twinpipe/buffer.hpp"
#include "twinpipe/detail/client_scope.hpp"
#include "twinpipe/error.hpp"
#include "twinpipe/identity.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/received.hpp"

namespace tp {

namespace detail {
class connection_state;
}  // namespace detail

/// What drain() can promise on a connection.
enum class drain_guarantee : std::uint8_t {
  none,         ///< drain() answers not_supported
  kernel,       ///< the peer's process has read everything
  application,  ///< the peer's application has received everything
};

/// A handle, movable, from runtime::connect or listener::accept; its runtime's thread only. Destroying it is
/// abort().
class connection {
 public:
  explicit connection(detail::connection_state& state) noexcept;
  connection(connection&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  /// Aborts the connection that this was a handle of, then takes the other.
  connection& operator=(connection&& other) noexcept;
  ~connection();

  /// Sends bytes: in message mode one message, in byte mode part of the stream. Any number of sends may be
  /// pending; they go first in, first out, each whole. The memory is in use until the send completes.
  /// Completes when the kernel has accepted all of it, which doesn't mean that the peer has read it; see
  /// drain(). Stopped or timed out before its first byte: nothing was sent, the error is cancelled or
  /// timed_out. Later: in byte mode it succeeds with the count that went; in message mode the peer gets
  /// message_aborted and this side the error; and if the piece under way can't be finished within a second
  /// the connection ends, and the send with `closed`. Where the system can't say how much of a
  /// stopped write went (no capability exact_write: Windows), the write that has hold of it is waited for, a
  /// second at most. Errors: cancelled, timed_out, closed, broken_pipe (the peer reads no more),
  /// message_too_large, queue_full, wrong_direction, connection_lost, protocol_error, no_resources, io_error,
  /// not_while_impersonating.
  awaitable<send_result> send(std::span<const std::byte> bytes);
  awaitable<send_result> send(std::string_view text) { return send(std::as_bytes(std::span(text))); }

  /// Receives into a span: in byte mode at least one byte; in message mode the message, or as much of it as
  /// fits, with `complete == false` until its last part. An empty message is a message. The end of the stream
  /// is a value. The memory is in use until the receive completes. One receive may be pending; a second gets
  /// operation_in_progress. Stopped or timed out while it holds part of a message, it succeeds with `complete
  /// == false`. Errors: cancelled, timed_out, closed, operation_in_progress, connection_lost (the end came
  /// inside a message), message_aborted (the next receive gets the next message), message_too_large (the peer
  /// announced one, and the connection is at its end), protocol_error, wrong_direction, no_resources,
  /// io_error, not_while_impersonating.
  awaitable<result<received>> receive(std::span<std::byte> into);
  /// Receives into a buffer that grows as bytes come: a whole message, or in byte mode what is there. Stopped
  /// in the middle of a message, the connection keeps the part and the next receive goes on with it. The
  /// buffer is in use until the receive completes: it must stay where it is. Its contents are replaced.
  /// Errors: as above.
  awaitable<result<received>> receive(buffer& into);

  /// Ends the sending direction after what was sent: the peer receives the end; receiving goes on. Later
  /// sends are `closed`. Errors: closed, broken_pipe, timed_out and cancelled (the end goes all the same),
  /// not_supported (raw profile on a system that can't), operation_in_progress, wrong_direction,
  /// connection_lost, protocol_error, io_error, not_while_impersonating.
  awaitable<result<void>> shutdown();

  /// Completes when the peer has got everything that was sent before; drain_guarantee() says how far that
  /// goes. With frames the confirmation travels behind the peer's data, so somebody must receive what the
  /// peer sends, or it comes never; and where 16 earlier drains, timed out, wait for their answers still, it
  /// asks only when one has come. Without frames the system tells, of everything written: sends that follow
  /// are waited for too. Linux: the socket's queue is empty (SIOCOUTQ, unix(7)) and no reset came; elsewhere
  /// not_supported. Errors: discarded (the peer closed first, and nothing tells that it had got all),
  /// timed_out, cancelled, closed, not_supported, operation_in_progress, protocol_error, connection_lost,
  /// io_error, not_while_impersonating.
  awaitable<result<void>> drain();
  [[nodiscard]] tp::drain_guarantee drain_guarantee() const noexcept;

  /// Sends what is queued, tells the peer, waits for what drain() waits for, and closes. Pending receives end
  /// with `closed`, a pending drain too; data that still arrives is dropped. A deadline or stop isn't an
  /// error: the outcome is then `unknown`. So it is without frames where the system doesn't tell (see
  /// drain()), and with frames if the peer ended without a word; Linux tells of bytes that a peer left unread
  /// (ECONNRESET, unix(7)), Windows doesn't. Errors: closed (it was closed already), not_while_impersonating.
  awaitable<result<delivery>> close();

  /// Closes now: never blocks, sends nothing that is queued; what the kernel has accepted stays readable for
  /// the peer. Pending operations end with `closed`, on a later turn. A server's instance is free again.
  void abort() noexcept;
  /// The server's way to say abort(): this client is done with, the instance is for the next.
  void disconnect() noexcept { abort(); }

  [[nodiscard]] const identity& peer() const noexcept;
  /// What the client lets the server do in its name.
  [[nodiscard]] impersonation_level level() const noexcept;
  [[nodiscard]] transmission mode() const noexcept;
  /// The same number on both sides, for logs; unique among the connections of one endpoint. 0 in raw profile.
  [[nodiscard]] std::uint64_t id() const noexcept;

  /// Calls `f` with the client's rights and gives back what it returns; a result<T> isn't wrapped again.
  /// Synchronous, on this thread only: other threads keep the server's rights. Inside, only files may be
  /// used; every operation of twinpipe but a blocking connect answers not_while_impersonating. Exceptions
  /// pass, after the server's own identity is back; if that can't be done the program is aborted, and so it
  /// is by a turn of a runtime inside. It's an access check with the client's identity, not a sandbox:
  /// hostile code in `f` could regain the server's. Linux: effective uid, gid, groups and capabilities of the
  /// thread, by raw system calls (credentials(7)); use faccessat2 with AT_EACCESS rather than access, start
  /// no thread or process and send no signal inside. Windows: the thread wears the token that the client gave
  /// with its connection, at the level that the client chose when it opened the pipe, which the kernel
  /// enforces; for another user the server needs SeImpersonatePrivilege (docs/platform-windows.md). Errors:
  /// impersonation_denied (client's level below impersonation, peer unknown, or no privilege; the text says
  /// which), invalid_argument (this is the client's side), closed, not_supported, not_while_impersonating
  /// (this thread acts as a client already, of whatever runtime), and those of `f`.
  template <detail::client_callable F>
    requires(!detail::resumable<std::invoke_result_t<F>>)
  auto run_as_client(F&& f) -> detail::flattened<std::invoke_result_t<F>>::type {
    return detail::call_as_client(enter_client(), std::forward<F>(f));
  }

 private:
  result<detail::runtime_state*> enter_client();
  [[nodiscard]] detail::connection_state& state() const;
  [[nodiscard]] detail::connection_state& state_of_rare_call() const;
  void let_go() noexcept;

  detail::connection_state* state_;
};

}  // namespace tp
