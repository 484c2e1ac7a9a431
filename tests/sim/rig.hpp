// What the tests of the simulated twin share: operations that count their completions, processes, connected
// pairs.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::test {

/// An operation that counts its completions and may go on from there.
template <class Op>
struct probe : Op {
  probe() noexcept : Op(&run, nullptr) {}
  static void run(backend::op& o) noexcept {
    auto& self = static_cast<probe&>(o);
    ++self.completions;
    if (self.then) self.then();
  }
  [[nodiscard]] errc code() const noexcept { return this->result.code; }

  int completions = 0;
  std::function<void()> then;
};

struct reading : probe<backend::read_op> {
  explicit reading(std::size_t room = 64) : storage(room, '.') { into = bytes(); }
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return std::as_writable_bytes(std::span(storage)); }
  [[nodiscard]] std::string text() const { return storage.substr(0, n); }
  std::string storage;
};

struct writing : probe<backend::write_op> {
  explicit writing(std::string_view text) : data(text), whole(std::as_bytes(std::span(data))) {
    buffers = std::span(&whole, 1);
  }
  std::string data;
  backend::const_buffer whole;
};

using accepting = probe<backend::accept_op>;
using waiting = probe<backend::op>;

/// A process with one system.
struct host {
  host(sim::world& world, std::string name, sim::user_id user);

  [[nodiscard]] result<std::shared_ptr<backend::bound_name>> try_bind(backend::bind_request request) const;
  [[nodiscard]] std::shared_ptr<backend::bound_name> bind(std::string_view name, int backlog = 16) const;
  [[nodiscard]] backend::acceptor_ptr open(const std::shared_ptr<backend::bound_name>& name) const;
  /// Connects at once; on failure what went wrong is in `code` and `detail`.
  [[nodiscard]] backend::detached_ptr connect(std::string_view name);
  [[nodiscard]] backend::stream_ptr attach(backend::detached_ptr stream) const;
  backend::turn_result poll() const { return system->turn(system->now()); }

  errc code = errc::none;
  std::string detail;
  std::unique_ptr<backend::process> process;
  std::unique_ptr<backend::system> system;
};

/// What a copy of this process says on standard error before it aborts, or ends by that signal; "" if it
/// doesn't.
[[nodiscard]] std::string last_words(const std::function<void()>& body, int signal = SIGABRT);

[[nodiscard]] endpoint_name named(std::string_view text);
/// The group, or the user, is number 50.
[[nodiscard]] backend::bind_request request(std::string_view name, access_policy::audience who);

/// A user's server and client with one connection between them.
struct duplex {
  duplex();
  /// What can be read now; "end", "reset" or "nothing" instead of no bytes.
  [[nodiscard]] std::string take(backend::byte_stream& from, std::size_t room = 64) const;
  /// Writes, which must be done at once.
  static errc put(backend::byte_stream& to, std::string_view text);

  sim::world world;
  sim::user_id user;
  host server, client;
  std::shared_ptr<backend::bound_name> name;
  backend::acceptor_ptr acceptor;
  backend::stream_ptr near, far;  ///< the client's and the server's end
};

}  // namespace tp::test
