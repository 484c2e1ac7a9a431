// The errors of twinpipe: a closed list of codes, the operation that failed, the system's cause and what it
// was about.
#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tp {

/// Every reason for which an operation of twinpipe fails. The list is closed; each public operation names the
/// part of it that a caller can act on. The end of a stream is not among them: it is a value
/// (`received::end`). process_killed is in none of their lists: in the simulator any call that can fail
/// answers it once its process was killed; a real process never gets it.
enum class errc : std::uint8_t {
  none,                     ///< no error; never inside an `error` that a caller gets
  invalid_argument,         ///< an option or argument that means nothing
  invalid_name,             ///< not the name of an endpoint, or a name of another system
  name_too_long,            ///< longer than this system can bind or connect to
  not_supported,            ///< this system or twin cannot do it
  not_found,                ///< no such endpoint, or nobody listens; no such file
  name_in_use,              ///< somebody else has bound the name
  access_denied,            ///< permissions or policy say no
  untrusted_location,       ///< a directory or file on the way belongs to somebody who could have replaced it
  untrusted_server,         ///< the server is not who `expected_server` asks for
  unreachable_policy,       ///< the access policy is wider than the place of the name lets clients in
  busy,                     ///< every instance was taken until the deadline
  timed_out,                ///< the deadline passed
  cancelled,                ///< its stop token asked for it
  closed,                   ///< this side's object was closed
  closing,                  ///< the server is closing its endpoint
  server_gone,              ///< the server died or closed while the client waited for an instance
  overloaded,               ///< the server sheds load
  connection_reset,         ///< the peer closed without reading all that was sent (only below the seam)
  discarded,                ///< the peer closed without reading all that was sent
  connection_lost,          ///< the connection ended in the middle of a message or frame
  broken_pipe,              ///< the peer reads no more
  message_aborted,          ///< the sender gave up in the middle of this message
  message_too_large,        ///< larger than this side sends or the other side accepts
  queue_full,               ///< max_queued_bytes are waiting to be sent
  operation_in_progress,    ///< one of its kind is pending already
  wrong_direction,          ///< the connection does not carry data this way
  peer_is_not_twinpipe,     ///< something else answered
  protocol_error,           ///< the peer broke the protocol
  version_mismatch,         ///< no protocol version in common
  mode_mismatch,            ///< one side byte, the other message
  direction_mismatch,       ///< one side sends where the other does not receive
  app_protocol_mismatch,    ///< no application protocol in common
  feature_refused,          ///< a required feature is unknown or not granted
  early_data_refused,       ///< the message in the hello was not taken
  impersonation_denied,     ///< the client's level, the policy or this process's privileges do not allow it
  not_while_impersonating,  ///< only files may be used inside run_as_client
  file_too_large,           ///< more bytes than the caller wanted to read
  no_resources,             ///< out of descriptors, memory or threads
  io_error,                 ///< any other failure of the system; see error::system_cause()
  process_killed,           ///< the simulated process is dead: nothing has any effect
};

/// What failed. It chooses the verb of error::message().
enum class operation : std::uint8_t {
  none,
  bind,
  listen,
  accept,
  connect,
  send,
  receive,
  shutdown,
  drain,
  close,
  run_as_client,
  read_file,
  open_directory,
  start_thread,
  start_runtime,
  poll_handle,
  sleep,
};

/// What code and operation leave open about a failure. It chooses words of error::message(), such as the
/// remedy, and nothing else: a program decides by the code.
enum class circumstance : std::uint8_t {
  none,
  blocking,       ///< the call blocks its thread, so another such call is another thread's
  grace_passed,   ///< a message whose send was stopped in its middle could not be withdrawn in time
  own_process,    ///< it is this very process that holds the name
  no_socket,      ///< a file that is no socket has the name
  others_socket,  ///< a socket of another user, where somebody else could have put it
  lent_loop,      ///< the runtime's loop is one that the program has lent
};

/// The name of a code as it stands in the source: "timed_out".
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// "connect", "read the file", …: the verb of a sentence.
[[nodiscard]] std::string_view to_string(operation op) noexcept;

/// Text shared by all errors of one endpoint, connection or path, so that an error costs no allocation.
using shared_text = std::shared_ptr<const std::string>;
[[nodiscard]] shared_text make_text(std::string text);

/// An error value: small, copyable, no allocation of its own.
class error {
 public:
  explicit error(errc code, operation op = operation::none, int system_cause = 0,
                 shared_text subject = {}) noexcept
      : subject_(std::move(subject)), system_cause_(system_cause), code_(code), operation_(op) {}

  [[nodiscard]] errc code() const noexcept { return code_; }
  [[nodiscard]] operation what_failed() const noexcept { return operation_; }

  /// errno or GetLastError() of the call that failed; 0 if no system call did.
  [[nodiscard]] int system_cause() const noexcept { return system_cause_; }

  /// What it was about: an endpoint's name, a path, the list of paths tried. Text from a peer in it is
  /// escaped.
  [[nodiscard]] std::string_view subject() const noexcept {
    return subject_ ? std::string_view(*subject_) : "";
  }

  /// One sentence that says what failed, on what, why, and what to do about it.
  [[nodiscard]] std::string message() const;

  /// The same error with the parts that are still unknown filled in; known ones stay.
  [[nodiscard]] error about(operation op, const shared_text& subject) const;
  /// The same error with what message() should take into account.
  [[nodiscard]] error in(circumstance what) const;

  [[nodiscard]] friend bool operator==(const error& e, errc code) noexcept { return e.code_ == code; }

 private:
  shared_text subject_;
  int system_cause_ = 0;
  errc code_ = errc::none;
  operation operation_ = operation::none;
  circumstance circumstance_ = circumstance::none;
};

static_assert(sizeof(error) <= 32);

template <class T>
using result = std::expected<T, error>;

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

/// `co_return tp::fail(r)`: passes the error of one result on as another's.
template <class R>
  requires requires(const R& r) {
    { r.error() } -> std::convertible_to<const error&>;
  }
[[nodiscard]] std::unexpected<error> fail(const R& r) {
  return std::unexpected(r.error());
}
[[nodiscard]] inline std::unexpected<error> fail(error e) {
  return std::unexpected(std::move(e));
}
[[nodiscard]] inline std::unexpected<error> fail(errc code, operation op = operation::none,
                                                 int system_cause = 0, shared_text subject = {}) {
  return std::unexpected(error(code, op, system_cause, std::move(subject)));
}

}  // namespace tp
