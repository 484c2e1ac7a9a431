// A connection whose calls wait, for programs built of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/buffer.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/detail/client_scope.hpp"
#include "twinpipe/error.hpp"
#include "twinpipe/identity.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/received.hpp"

namespace tp {
class process;

namespace detail {
class blocking_connection_state;
struct established;
}  // namespace detail

namespace blocking {

/// A handle, movable, from blocking::connect or a blocking::listener; each operation means what it means on
/// tp::connection, with the same errors. It is driven by the threads that call: one may receive while others
/// send, each in a call of its own, and close, abort, drain and shutdown may come from any thread. Moving
/// and destroying the handle may not: no other call may run then, and if one waits inside, destroying it
/// aborts the program and names the call. Destroying an idle one is abort().
///
/// Nothing happens between calls. What the peer asks (is everything received?, see drain()) is answered while
/// some thread receives, drains, closes or has to wait in a send; by a send that needn't wait it is looked
/// for at most once in a millisecond.
class connection {
 public:
  connection(connection&& other) noexcept;
  connection& operator=(connection&& other) noexcept;
  ~connection();

  /// See tp::connection::send. Sends of several threads go first in, first out. The memory is free again when
  /// it returns, whatever the outcome. A stop or deadline that comes when part has gone: in byte mode success
  /// with the count; in message mode the error, within a second, and the peer gets message_aborted;
  /// if the peer doesn't read for that second either, the connection ends. A send that finds more than
  /// max_queued_bytes of other threads before it is queue_full.
  send_result send(std::span<const std::byte> bytes, const limits& how = {});
  send_result send(std::string_view text, const limits& how = {}) {
    return send(std::as_bytes(std::span(text)), how);
  }

  /// See tp::connection::receive. One thread at a time: a second gets operation_in_progress.
  result<received> receive(std::span<std::byte> into, const limits& how = {});
  result<received> receive(buffer& into, const limits& how = {});

  /// See tp::connection::shutdown.
  result<void> shutdown(const limits& how = {});

  /// See tp::connection::drain. The confirmation travels behind the peer's data: with frames some thread has
  /// to receive meanwhile, if the peer sends anything.
  result<void> drain(const limits& how = {});
  [[nodiscard]] tp::drain_guarantee drain_guarantee() const noexcept;

  /// See tp::connection::close. With frames the peer confirms from its next call, so give it a limit. A
  /// receive that waits in another thread without a stop token ends with `closed` when this does, or with
  /// what comes meanwhile.
  result<delivery> close(const limits& how = {});

  /// See tp::connection::abort. Calls that wait in other threads return `closed`.
  void abort() noexcept;
  void disconnect() noexcept { abort(); }

  [[nodiscard]] const identity& peer() const noexcept;
  [[nodiscard]] impersonation_level level() const noexcept;
  [[nodiscard]] transmission mode() const noexcept;
  [[nodiscard]] std::uint64_t id() const noexcept;

  /// See tp::connection::run_as_client: this thread alone gets the client's rights.
  template <detail::client_callable F>
    requires(!detail::resumable<std::invoke_result_t<F>>)
  auto run_as_client(F&& f) -> detail::flattened<std::invoke_result_t<F>>::type {
    return detail::call_as_client(enter_client(), std::forward<F>(f));
  }

  /// For the library: takes on a stream that has shaken hands.
  [[nodiscard]] static result<connection> adopt(process& owner, detail::established made, operation kind);

 private:
  explicit connection(std::unique_ptr<detail::blocking_connection_state> state) noexcept;
  [[nodiscard]] detail::blocking_connection_state& state() const;
  result<detail::runtime_state*> enter_client();

  std::unique_ptr<detail::blocking_connection_state> state_;
};

}  // namespace blocking
}  // namespace tp
