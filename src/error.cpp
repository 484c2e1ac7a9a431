// Errors as text: one table of codes with their explanation and remedy, one of operations, and the sentence
// made of both.
#include "twinpipe/error.hpp"

#include <array>
#include <cstddef>
#include <system_error>

#include "twinpipe/escape.hpp"

namespace tp {
namespace {

struct explanation {
  errc code;
  std::string_view name;
  std::string_view why;
  std::string_view remedy;
};

constexpr std::array explanations{
    explanation{errc::none, "none", "no error", ""},
    explanation{errc::invalid_argument, "invalid_argument", "an option or argument makes no sense here",
                "compare it with what this call documents"},
    explanation{errc::invalid_name, "invalid_name", "this names no endpoint",
                "use a plain name such as files, or one of the forms that endpoint_name::parse lists"},
    explanation{errc::name_too_long, "name_too_long", "the name is longer than this system can use",
                "choose a shorter name, or a shorter directory for it"},
    explanation{errc::not_supported, "not_supported", "this system cannot do it",
                "look in docs/platform.md for what each system offers instead"},
    explanation{
        errc::not_found, "not_found", "it does not exist, or nobody listens there",
        "check the name or path; a client can also start the server first, or connect with wait_for_server"},
    explanation{errc::name_in_use, "name_in_use", "the name is bound already",
                "stop the server that holds it, or choose another name"},
    explanation{errc::access_denied, "access_denied",
                "access denied by permissions or by the server's policy",
                "run as a user who may, or widen the file's mode or endpoint_options::access"},
    explanation{errc::untrusted_location, "untrusted_location",
                "a directory or file on the way belongs to somebody who could have replaced it",
                "correct its owner and mode, choose another place, or, if any server will do, say so by "
                "expected_server"},
    explanation{errc::untrusted_server, "untrusted_server",
                "the server runs as a user this client does not trust",
                "find out who took the name, or widen connect_options::expected_server"},
    explanation{errc::unreachable_policy, "unreachable_policy",
                "the access policy admits clients whom the place of the name keeps out",
                "bind in the system scope or in a directory those clients can enter, or narrow the policy"},
    explanation{errc::busy, "busy", "every instance stayed busy until the deadline",
                "raise max_instances on the server or wait longer"},
    explanation{errc::timed_out, "timed_out", "the deadline passed",
                "allow more time, or see what the peer waits for"},
    explanation{errc::cancelled, "cancelled", "its stop token was asked to stop",
                "nothing is wrong if the program asked; else look for who requested the stop"},
    explanation{errc::closed, "closed", "this side closed it",
                "keep it open until its operations have completed"},
    explanation{errc::closing, "closing", "the server is closing its endpoint",
                "connect again once the server is back, or with wait_for_server"},
    explanation{errc::server_gone, "server_gone", "the server died or closed while this client waited for it",
                "restart the server, or connect with wait_for_server"},
    explanation{errc::overloaded, "overloaded", "the server has more clients at its door than it can handle",
                "try again later, or raise max_half_open on the server"},
    explanation{errc::connection_reset, "connection_reset",
                "the peer closed without reading all that was sent",
                "let the peer read to the end, or drain before closing"},
    explanation{errc::discarded, "discarded", "the peer closed before it had read everything",
                "send it again on a new connection if it matters"},
    explanation{errc::connection_lost, "connection_lost",
                "the connection ended in the middle of a message or frame",
                "discard the unfinished message, connect again, and see why the peer died"},
    explanation{errc::broken_pipe, "broken_pipe", "the peer reads no more",
                "stop sending, and connect again if needed"},
    explanation{errc::message_aborted, "message_aborted", "the sender gave up in the middle of this message",
                "discard what came of it and receive the next"},
    explanation{errc::message_too_large, "message_too_large",
                "the message exceeds what one of the sides takes",
                "send less at a time, or raise max_message on both sides"},
    explanation{errc::queue_full, "queue_full", "max_queued_bytes wait to be sent already",
                "await earlier sends before the next, or raise max_queued_bytes"},
    explanation{errc::operation_in_progress, "operation_in_progress", "another of its kind is still pending",
                "await that one first"},
    explanation{errc::wrong_direction, "wrong_direction", "the connection carries no data this way",
                "change the direction in the options of both sides"},
    explanation{errc::peer_is_not_twinpipe, "peer_is_not_twinpipe", "something other than twinpipe answered",
                "check the name, or use profile::raw for a peer that knows only plain sockets or pipes"},
    explanation{errc::protocol_error, "protocol_error", "the peer broke the protocol",
                "check that both sides run compatible versions, and who the peer is"},
    explanation{errc::version_mismatch, "version_mismatch", "the two sides share no version of the protocol",
                "update the older side"},
    explanation{errc::mode_mismatch, "mode_mismatch",
                "one side asked for byte mode and the other for message mode",
                "use the same transmission on both sides"},
    explanation{errc::direction_mismatch, "direction_mismatch",
                "one side sends where the other does not receive", "pair in with out, or duplex with duplex"},
    explanation{errc::app_protocol_mismatch, "app_protocol_mismatch",
                "the two sides share no application protocol", "offer one that the other side accepts"},
    explanation{errc::feature_refused, "feature_refused",
                "one side requires a feature that the other does not grant",
                "update the other side, or stop requiring the feature"},
    explanation{errc::early_data_refused, "early_data_refused",
                "the message sent with the hello was not taken",
                "send it again on the established connection"},
    explanation{
        errc::impersonation_denied, "impersonation_denied",
        "the client's level, the server's policy or this process's privileges do not allow it",
        "connect with level = impersonation_level::impersonation, and run the server with the privilege to "
        "switch users"},
    explanation{errc::not_while_impersonating, "not_while_impersonating",
                "inside run_as_client only files may be used", "move this call out of the callable"},
    explanation{errc::file_too_large, "file_too_large", "the file holds more bytes than the caller allows",
                "raise the limit, or read a smaller file"},
    explanation{errc::no_resources, "no_resources", "the system is out of descriptors, memory or threads",
                "close what is not needed, or raise the limits of the process"},
    explanation{errc::io_error, "io_error", "the system reported a failure that has no code of its own",
                "look up the system's own error"},
    explanation{errc::process_killed, "process_killed", "the simulated process was killed",
                "nothing: from here on it has no effect"},
};

constexpr bool in_order_of_codes() {
  for (std::size_t i = 0; i != explanations.size(); ++i)
    if (explanations[i].code != static_cast<errc>(i)) return false;
  return explanations.back().code == errc::process_killed;
}
static_assert(in_order_of_codes());

struct verb {
  operation op;
  std::string_view name;
  std::string_view before_subject;
};

constexpr std::array verbs{
    verb{operation::none, "operation", "operation on "},
    verb{operation::bind, "bind", "bind "},
    verb{operation::listen, "listen", "listen on "},
    verb{operation::accept, "accept", "accept on "},
    verb{operation::connect, "connect", "connect to "},
    verb{operation::send, "send", "send to "},
    verb{operation::receive, "receive", "receive from "},
    verb{operation::shutdown, "shutdown", "shutdown of "},
    verb{operation::drain, "drain", "drain of "},
    verb{operation::close, "close", "close of "},
    verb{operation::run_as_client, "run_as_client", "run_as_client for "},
    verb{operation::read_file, "read the file", "read the file "},
    verb{operation::open_directory, "open the directory", "open the directory "},
    verb{operation::start_thread, "start the thread", "start the thread "},
    verb{operation::start_runtime, "start a runtime", "start a runtime for "},
    verb{operation::sleep, "sleep", "sleep in "},
};

constexpr bool in_order_of_operations() {
  for (std::size_t i = 0; i != verbs.size(); ++i)
    if (verbs[i].op != static_cast<operation>(i)) return false;
  return verbs.back().op == operation::sleep;
}
static_assert(in_order_of_operations());

const explanation& of(errc code) noexcept {
  return explanations[static_cast<std::size_t>(code)];
}
const verb& of(operation op) noexcept {
  return verbs[static_cast<std::size_t>(op)];
}

// Subjects are escaped by whoever makes them; what slipped through must still not reach a terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char& c : text) {
    if (c >= ' ' && c <= '~')
      out += c;
    else
      out += escape(std::string_view(&c, 1));
  }
  return out;
}

// A name or path is put between quotes; several words or quotes of its own make it a remark on the
// explanation.
bool is_remark(std::string_view subject) {
  return subject.find_first_of(" '") != std::string_view::npos;
}

std::string cause_text(int number) {
  const std::string text = std::system_category().message(number);
  // The two categories differ where the system counts its errors apart from errno: Windows.
  const bool is_errno = text == std::generic_category().message(number);
  return (is_errno ? " (errno " : " (system error ") + std::to_string(number) + ": " + text + ")";
}

}  // namespace

std::string_view to_string(errc code) noexcept {
  return of(code).name;
}
std::string_view to_string(operation op) noexcept {
  return of(op).name;
}

shared_text make_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string error::message() const {
  const explanation& reason = of(code_);
  if (code_ == errc::none) return std::string(reason.why);
  const std::string about_what = printable(subject());
  const bool remark = is_remark(about_what);

  std::string out;
  if (about_what.empty() || remark) {
    if (operation_ != operation::none) out.append(of(operation_).name).append(" failed: ");
  } else {
    out.append(of(operation_).before_subject).append("'").append(about_what).append("' failed: ");
  }
  out += reason.why;
  if (system_cause_ != 0) out += cause_text(system_cause_);
  if (remark) out.append(": ").append(about_what);
  return out.append("; ").append(reason.remedy);
}

error error::about(operation op, const shared_text& subject) const {
  return error(code_, operation_ == operation::none ? op : operation_, system_cause_,
               subject_ && !subject_->empty() ? subject_ : subject);
}

}  // namespace tp
