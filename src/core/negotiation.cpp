// What goes into a hello, what a server answers, and what both sides hold to afterwards.
#include "core/negotiation.hpp"

#include <algorithm>
#include <utility>

namespace tp::core {

namespace {

constexpr std::size_t program_label_max = 64;

[[nodiscard]] std::uint32_t wire_size(std::size_t bytes) noexcept {
  return static_cast<std::uint32_t>(std::min(bytes, max_message_limit));
}

[[nodiscard]] std::uint8_t client_directions(tp::direction direction) noexcept {
  switch (direction) {
    case tp::direction::in:
      return wire::server_to_client;
    case tp::direction::out:
      return wire::client_to_server;
    case tp::direction::duplex:
      break;
  }
  return wire::client_to_server | wire::server_to_client;
}

[[nodiscard]] std::uint8_t server_directions(tp::direction direction) noexcept {
  switch (direction) {
    case tp::direction::in:
      return wire::client_to_server;
    case tp::direction::out:
      return wire::server_to_client;
    case tp::direction::duplex:
      break;
  }
  return wire::client_to_server | wire::server_to_client;
}

}  // namespace

terms raw_terms(tp::direction direction, std::size_t max_queued, bool server) noexcept {
  terms made;
  made.native = false;
  made.can_send = direction != tp::direction::in;
  made.can_receive = direction != tp::direction::out;
  made.server = server;
  made.max_send = made.max_receive = static_cast<std::size_t>(-1);
  made.max_queued = max_queued;
  return made;
}

// Byte mode asks for frames only where the system can't end one direction alone, or the program wants them.
wire::client_hello make_hello(const connect_options& options, const backend::capabilities& system) {
  wire::client_hello hello;
  hello.offered = wire::feature_framed | wire::feature_app_drain;
  if (options.mode == transmission::message) {
    hello.offered |= wire::feature_message;
    hello.required = wire::feature_message | wire::feature_framed;
  } else if (options.framed || !system.half_close) {
    hello.required = wire::feature_framed;
  }
  hello.level = std::to_underlying(options.level);
  hello.directions = client_directions(options.direction);
  if (options.mode == transmission::message) hello.max_receive = wire_size(options.max_message);
  if (!options.program.empty())
    hello.extra.program = std::string(options.program.substr(0, program_label_max));
  return hello;
}

wire::server_reply refuse(wire::reply_status status, std::string_view reason) {
  wire::server_reply reply;
  reply.version = 0;
  reply.status = status;
  if (!reason.empty()) reply.extra.reason = std::string(reason);
  return reply;
}

decision decide(const wire::client_hello& hello, const endpoint_options& options, const identity& client,
                const backend::capabilities& system, std::uint64_t id) {
  using wire::reply_status;
  constexpr std::uint32_t grantable = wire::feature_message | wire::feature_framed | wire::feature_app_drain;
  const bool message = options.mode == transmission::message;
  // A client that offers messages without requiring them takes bytes too.
  const bool mode_fits = ((message ? hello.offered : ~hello.required) & wire::feature_message) != 0;
  if (hello.version_min > wire::version_highest || hello.version_max < wire::version_lowest) {
    return {refuse(reply_status::version), {}};
  }
  // All other features need frames.
  const bool framed = message || options.framed || !system.half_close || hello.required != 0;
  std::uint32_t granted = framed ? hello.offered & grantable : 0;
  if (!message) granted &= ~std::uint32_t{wire::feature_message};
  const std::uint32_t missing = hello.required & ~granted & ~std::uint32_t{wire::feature_message};
  if (missing != 0 || (framed && (granted & wire::feature_framed) == 0)) {
    return {refuse(reply_status::required_feature), {}};
  }
  if (!mode_fits) return {refuse(reply_status::mode_mismatch), {}};
  if (hello.directions != server_directions(options.direction)) return {refuse(reply_status::direction), {}};
  if (hello.early_length != 0) return {refuse(reply_status::early_refused), {}};
  const admission answer = options.access.ask({client, static_cast<impersonation_level>(hello.level),
                                               options.mode, hello.extra.program.value_or("")});
  if (!answer.granted) return {refuse(reply_status::access_denied, answer.reason), {}};

  decision made;
  made.reply.granted = granted;
  if (message) made.reply.max_receive = wire_size(options.max_message);
  made.reply.connection_id = id;
  terms& terms = made.terms;
  terms.mode = options.mode;
  terms.framed = framed;
  terms.app_drain = (granted & wire::feature_app_drain) != 0;
  terms.keepalive = (granted & wire::feature_keepalive) != 0;
  terms.can_send = options.direction != tp::direction::in;
  terms.can_receive = options.direction != tp::direction::out;
  terms.server = true;
  terms.level = static_cast<impersonation_level>(hello.level);
  terms.max_receive = wire_size(options.max_message);
  terms.max_send = message ? std::min<std::size_t>(terms.max_receive, hello.max_receive) : terms.max_receive;
  terms.max_queued = options.max_queued_bytes;
  terms.id = id;
  return made;
}

errc refusal_code(wire::reply_status status) noexcept {
  using wire::reply_status;
  switch (status) {
    case reply_status::accepted:
      return errc::none;
    case reply_status::wait:
    case reply_status::busy:
      return errc::busy;
    case reply_status::access_denied:
      return errc::access_denied;
    case reply_status::version:
      return errc::version_mismatch;
    case reply_status::mode_mismatch:
      return errc::mode_mismatch;
    case reply_status::direction:
      return errc::direction_mismatch;
    case reply_status::app_protocol:
      return errc::app_protocol_mismatch;
    case reply_status::required_feature:
      return errc::feature_refused;
    case reply_status::malformed:
      return errc::protocol_error;
    case reply_status::overloaded:
      return errc::overloaded;
    case reply_status::closing:
      return errc::closing;
    case reply_status::early_refused:
      return errc::early_data_refused;
  }
  return errc::protocol_error;
}

std::expected<terms, errc> agree(const wire::client_hello& hello, const wire::server_reply& reply,
                                 const connect_options& options) noexcept {
  const bool message = options.mode == transmission::message;
  const bool framed = (reply.granted & wire::feature_framed) != 0;
  const bool in_range = reply.version >= hello.version_min && reply.version <= hello.version_max;
  const bool all_required = (hello.required & ~reply.granted) == 0;
  const bool none_extra = (reply.granted & ~hello.offered) == 0;
  const bool mode_agrees = message == ((reply.granted & wire::feature_message) != 0);
  if (!in_range || !all_required || !none_extra || !mode_agrees || reply.early_taken != 0) {
    return std::unexpected(errc::protocol_error);
  }
  terms made;
  made.mode = options.mode;
  made.framed = framed;
  made.app_drain = framed && (reply.granted & wire::feature_app_drain) != 0;
  made.keepalive = framed && (reply.granted & wire::feature_keepalive) != 0;
  made.can_send = options.direction != tp::direction::in;
  made.can_receive = options.direction != tp::direction::out;
  made.level = options.level;
  made.max_receive = wire_size(options.max_message);
  made.max_send = message ? std::min<std::size_t>(made.max_receive, reply.max_receive) : made.max_receive;
  made.max_queued = options.max_queued_bytes;
  made.id = reply.connection_id;
  return made;
}

bool trusts(server_trust wanted, const identity& server, const identity& self) noexcept {
  switch (wanted) {
    case server_trust::own_user_or_superuser:
      return server.same_user(self) || server.is_superuser();
    case server_trust::own_user:
      return server.same_user(self);
    case server_trust::superuser:
      return server.is_superuser();
    case server_trust::anyone:
      break;
  }
  return true;
}

}  // namespace tp::core
