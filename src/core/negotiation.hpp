// What goes into a hello, what a server answers, and what both sides hold to afterwards. Sans-IO, no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/terms.hpp"
#include "twinpipe/backend/process.hpp"
#include "twinpipe/identity.hpp"
#include "twinpipe/options.hpp"
#include "wire/hello.hpp"

namespace tp::core {

/// A connection without handshake.
[[nodiscard]] terms raw_terms(tp::direction direction, std::size_t max_queued, bool server) noexcept;

/// The client's side of the options as a hello.
[[nodiscard]] wire::client_hello make_hello(const connect_options& options,
                                            const backend::capabilities& system);

/// A server's answer: the reply to write, and the terms if it is an acceptance.
struct decision {
  wire::server_reply reply;
  core::terms terms;

  [[nodiscard]] bool accepted() const noexcept { return reply.status == wire::reply_status::accepted; }
};
[[nodiscard]] decision decide(const wire::client_hello& hello, const endpoint_options& options,
                              const identity& client, const backend::capabilities& system, std::uint64_t id);

/// A refusal with an optional text for the client.
[[nodiscard]] wire::server_reply refuse(wire::reply_status status, std::string_view reason = {});

/// Which of the server's reasons a reply carries; none for an acceptance.
[[nodiscard]] errc refusal_code(wire::reply_status status) noexcept;

/// The terms that an accepting reply gives the client, or protocol_error if the server granted what wasn't
/// offered.
[[nodiscard]] std::expected<terms, errc> agree(const wire::client_hello& hello,
                                               const wire::server_reply& reply,
                                               const connect_options& options) noexcept;

/// Whether the client is content with this server.
[[nodiscard]] bool trusts(server_trust wanted, const identity& server, const identity& self) noexcept;

}  // namespace tp::core
