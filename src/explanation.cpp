// Why something failed and what to do about it: a table of codes, and one of what some of them mean to an
// operation or in a circumstance.
#include "explanation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tp {
namespace {

struct general {
  errc code;
  std::string_view name;
  std::string_view why;
  std::string_view remedy;
};

constexpr std::array generals{
    general{errc::none, "none", "no error", ""},
    general{errc::invalid_argument, "invalid_argument", "an option or argument makes no sense here",
            "compare it with what this call documents"},
    general{errc::invalid_name, "invalid_name", "this names no endpoint",
            "use a plain name such as files, or one of the forms that endpoint_name::parse lists"},
    general{errc::name_too_long, "name_too_long", "the name is longer than this system can use",
            "choose a shorter name, or a shorter directory for it"},
    general{errc::not_supported, "not_supported", "this system cannot do it",
            "look in docs/platform.md for what each system offers instead"},
    general{errc::not_found, "not_found", "it does not exist, or nobody listens there",
            "check the name, start the server first, or connect with wait_for_server"},
    general{errc::name_in_use, "name_in_use", "the name is bound already",
            "stop the server that holds it, or choose another name"},
    general{errc::access_denied, "access_denied", "access denied by permissions or by the server's policy",
            "run as a user who may, or widen endpoint_options::access on the server"},
    general{errc::untrusted_location, "untrusted_location",
            "a directory or file on the way belongs to somebody who could have replaced it",
            "correct its owner and mode, or choose another place"},
    general{errc::untrusted_server, "untrusted_server",
            "the server runs as a user this client does not trust",
            "find out who took the name, or widen connect_options::expected_server"},
    general{errc::unreachable_policy, "unreachable_policy",
            "the access policy admits clients whom the place of the name keeps out",
            "bind where they look and may enter, in the system scope, at an absolute path or in a "
            "runtime_directory that both sides name, or narrow the policy"},
    general{errc::busy, "busy", "every instance stayed busy until the deadline",
            "raise max_instances on the server or wait longer"},
    general{errc::timed_out, "timed_out", "the deadline passed",
            "allow more time, or see what the peer waits for"},
    general{errc::cancelled, "cancelled", "its stop token was asked to stop",
            "nothing is wrong if the program asked; else look for who requested the stop"},
    general{errc::closed, "closed", "this side closed it",
            "keep it open until its operations have completed"},
    general{errc::closing, "closing", "the server is closing its endpoint",
            "connect again once the server is back, or with wait_for_server"},
    general{errc::server_gone, "server_gone", "the server died or closed while this client waited for it",
            "restart the server, or connect with wait_for_server"},
    general{errc::overloaded, "overloaded", "the server has more clients at its door than it can handle",
            "try again later, or raise max_half_open on the server"},
    general{errc::connection_reset, "connection_reset", "the peer closed without reading all that was sent",
            "let the peer read to the end, or drain before closing"},
    general{errc::discarded, "discarded", "the peer closed before it had read everything",
            "send it again on a new connection if it matters"},
    general{errc::connection_lost, "connection_lost",
            "the connection ended in the middle of a message or frame",
            "discard the unfinished message, connect again, and see why the peer died"},
    general{errc::broken_pipe, "broken_pipe", "the peer reads no more",
            "stop sending, and connect again if needed"},
    general{errc::message_aborted, "message_aborted", "the sender gave up in the middle of this message",
            "discard what came of it and receive the next"},
    general{errc::message_too_large, "message_too_large", "the message exceeds what one of the sides takes",
            "send less at a time, or raise max_message on both sides"},
    general{errc::queue_full, "queue_full", "max_queued_bytes wait to be sent already",
            "await earlier sends before the next, or raise max_queued_bytes"},
    general{errc::operation_in_progress, "operation_in_progress", "another of its kind is still pending",
            "await that one first"},
    general{errc::wrong_direction, "wrong_direction", "the connection carries no data this way",
            "change the direction in the options of both sides"},
    general{errc::peer_is_not_twinpipe, "peer_is_not_twinpipe", "something other than twinpipe answered",
            "check the name, or use profile::raw for a peer that knows only plain sockets or pipes"},
    general{errc::protocol_error, "protocol_error", "the peer broke the protocol",
            "check that both sides run compatible versions, and who the peer is"},
    general{errc::version_mismatch, "version_mismatch", "the two sides share no version of the protocol",
            "update the older side"},
    general{errc::mode_mismatch, "mode_mismatch",
            "one side asked for byte mode and the other for message mode",
            "use the same transmission on both sides"},
    general{errc::direction_mismatch, "direction_mismatch", "one side sends where the other does not receive",
            "pair in with out, or duplex with duplex"},
    general{errc::app_protocol_mismatch, "app_protocol_mismatch",
            "the two sides share no application protocol", "offer one that the other side accepts"},
    general{errc::feature_refused, "feature_refused",
            "one side requires a feature that the other does not grant",
            "update the other side, or stop requiring the feature"},
    general{errc::early_data_refused, "early_data_refused", "the message sent with the hello was not taken",
            "send it again on the established connection"},
    general{
        errc::impersonation_denied, "impersonation_denied",
        "the client's level, the server's policy or this process's privileges do not allow it",
        "connect with level = impersonation_level::impersonation, and run the server with the privilege to "
        "switch users"},
    general{errc::not_while_impersonating, "not_while_impersonating",
            "inside run_as_client only files may be used", "move this call out of the callable"},
    general{errc::file_too_large, "file_too_large", "the file holds more bytes than the caller allows",
            "raise the limit, or read a smaller file"},
    general{errc::no_resources, "no_resources", "the system is out of descriptors, memory or threads",
            "close what is not needed, or raise the limits of the process"},
    general{errc::io_error, "io_error", "the system reported a failure that has no code of its own",
            "look up the system's own error"},
    general{errc::process_killed, "process_killed", "the simulated process was killed",
            "nothing: from here on it has no effect"},
};

constexpr bool in_order_of_codes() {
  for (std::size_t i = 0; i != generals.size(); ++i)
    if (generals[i].code != static_cast<errc>(i)) return false;
  return generals.back().code == errc::process_killed;
}
static_assert(in_order_of_codes());

// What a code means to one operation or in one circumstance, where that asks for other words. The first line
// that fits counts; an empty text is the general one's.
struct special {
  errc code;
  operation op;       // none: any
  circumstance what;  // none: any
  std::string_view why;
  std::string_view remedy;
};

constexpr auto any_operation = operation::none;
constexpr auto always = circumstance::none;

constexpr std::array specials{
    special{errc::invalid_argument, operation::read_file, always, "the path is not that of a regular file",
            "name a regular file"},
    special{errc::not_supported, operation::poll_handle, circumstance::lent_loop,
            "a runtime on a lent loop is turned by that loop and has no descriptor of its own",
            "run the loop that was lent, or wait for that loop's own descriptor"},
    special{errc::not_supported, operation::poll_handle, always,
            "the runtimes of this system or twin have no descriptor to wait for", "call run() or turn()"},
    special{errc::not_found, operation::bind, always, "the directory of the name does not exist",
            "make the directory first, or bind a plain name, whose directory is made when it is needed"},
    special{errc::not_found, operation::read_file, always, "there is no such file", "check the path"},
    special{errc::not_found, operation::open_directory, always, "there is no such directory",
            "check the path"},
    special{errc::name_in_use, any_operation, circumstance::own_process,
            "this very process has bound the name already",
            "use the endpoint that it has, whose copies any thread may hold, or close that first"},
    special{errc::name_in_use, any_operation, circumstance::no_socket, "something else has that name",
            "move it away, which bind never does itself, or choose another name"},
    special{errc::access_denied, operation::bind, always,
            "access denied by the permissions of the directory or of what is in it",
            "correct their owner and mode, choose another place, or run as a user who may"},
    special{
        errc::access_denied, operation::read_file, always,
        "access denied by the permissions of the file or of a directory on the way",
        "let the user who reads, inside run_as_client the client, read it and pass through its directories"},
    special{errc::access_denied, operation::open_directory, always,
            "access denied by the permissions of a directory on the way",
            "let the user who opens it pass through the directories on the way"},
    special{errc::untrusted_location, operation::connect, circumstance::others_socket, "",
            "correct owner and mode, choose another place, or, if any server will do, say so by "
            "expected_server"},
    special{errc::untrusted_location, any_operation, circumstance::no_socket, "something else has that name",
            "move it away, or choose another name"},
    special{errc::timed_out, operation::connect, always, "no server came until the deadline",
            "start the server, check that it uses the same name and place, or allow more time"},
    special{
        errc::timed_out, operation::accept, always, "no client could be accepted until the deadline",
        "accept again, or check that the clients use the same name and place and that an instance is free"},
    special{errc::closed, any_operation, circumstance::grace_passed,
            "a send was stopped in the middle, what it had begun could not be withdrawn within the second of "
            "grace, and that ended the connection",
            "connect again, and see why the peer does not read"},
    special{errc::message_too_large, operation::receive, always, "the message exceeds what this side takes",
            "raise max_message on this side, or let the peer send less at a time"},
    special{errc::queue_full, any_operation, circumstance::blocking, "",
            "let the sends of other threads return first, or raise max_queued_bytes"},
    special{errc::operation_in_progress, operation::accept, circumstance::blocking,
            "another thread is in a call of this listener", "give each thread a listener of its own"},
    special{errc::operation_in_progress, any_operation, circumstance::blocking,
            "another thread is in such a call of this connection",
            "leave such calls to one thread at a time, or give each thread a connection of its own"},
};

const general& of(errc code) noexcept {
  return generals[static_cast<std::size_t>(code)];
}

}  // namespace

std::string_view to_string(errc code) noexcept {
  return of(code).name;
}

detail::explanation detail::explain(errc code, operation op, circumstance what) noexcept {
  const general& usual = of(code);
  const auto fits = [=](const special& each) {
    return each.code == code && (each.op == any_operation || each.op == op) &&
           (each.what == always || each.what == what);
  };
  const auto found = std::ranges::find_if(specials, fits);
  if (found == specials.end()) return {usual.why, usual.remedy};
  return {found->why.empty() ? usual.why : found->why, found->remedy};
}

}  // namespace tp
