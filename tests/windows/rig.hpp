// What the cases of the Windows twin share: a process of it, systems, and bounded waits for operations.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend.hpp"

namespace tp::test {

/// Wine 8 ignores first-instance flags, access lists and levels of impersonation; cases that need them skip
/// there.
[[nodiscard]] bool under_wine();

/// An operation that remembers how often it was completed.
template <class Base>
struct watched : Base {
  watched()
      : Base([](backend::op& ended) noexcept { ++static_cast<watched*>(ended.context)->completions; }, this) {
  }
  int completions = 0;
};
using a_read = watched<backend::read_op>;
using a_write = watched<backend::write_op>;
using an_accept = watched<backend::accept_op>;
using a_connect = watched<backend::connect_op>;
using an_op = watched<backend::op>;

[[nodiscard]] std::unique_ptr<backend::process> a_process();
[[nodiscard]] std::unique_ptr<backend::system> a_system(backend::process& process);

/// A name that no other case uses.
[[nodiscard]] endpoint_name fresh_name();
[[nodiscard]] std::shared_ptr<backend::bound_name> bind(backend::process& process, const endpoint_name& name);

/// Turns until `op` isn't pending, ten seconds at most; its code, or `none` from a start that was done.
errc finish(backend::system& system, backend::op& op);

/// Turns for a while in which `op` must stay pending.
[[nodiscard]] bool stays_pending(backend::system& system, const backend::op& op);

[[nodiscard]] backend::detached_ptr accept(backend::system& system, backend::acceptor& acceptor);
/// Again while the name is busy, as the core does: a wait thread makes the next instance a moment after a
/// client came.
[[nodiscard]] backend::detached_ptr connect(backend::system& system, const endpoint_name& name,
                                            impersonation_level level = impersonation_level::identification);
[[nodiscard]] backend::stream_ptr attach(backend::system& system, backend::detached_ptr stream,
                                         backend::attachment how = backend::attachment::established);

/// The next bytes, at most `size`; "end", "cancelled" and the like in angle brackets instead of them.
[[nodiscard]] std::string read(backend::system& system, backend::byte_stream& stream,
                               std::size_t size = 4096);
errc write(backend::system& system, backend::byte_stream& stream, std::string_view text);

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// Both ends of a connection, on one system.
struct connected_pair {
  backend::stream_ptr server, client;
};
[[nodiscard]] connected_pair a_pair(backend::process& process, backend::system& system,
                                    backend::attachment server_as = backend::attachment::established);

}  // namespace tp::test
