// Bounded waits and short cuts over the seam.
#include "rig.hpp"

#include <windows.h>

#include <catch2/catch.hpp>

#include "process.hpp"

namespace tp::test {

using namespace std::chrono_literals;
using backend::turn_result;

bool under_wine() {
  return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != nullptr;
}

std::unique_ptr<backend::process> a_process() {
  auto process = platform::make_process();
  REQUIRE(process);
  return std::move(*process);
}

std::unique_ptr<backend::system> a_system(backend::process& process) {
  auto system = process.make_system();
  REQUIRE(system);
  return std::move(*system);
}

endpoint_name fresh_name() {
  static int count = 0;
  auto name = endpoint_name::parse("windows-test." + std::to_string(GetCurrentProcessId()) + "." +
                                   std::to_string(++count));
  REQUIRE(name);
  return *name;
}

std::shared_ptr<backend::bound_name> bind(backend::process& process, const endpoint_name& name) {
  auto bound = process.names().bind({.name = name, .runtime_directory = {}});
  REQUIRE(bound);
  return *bound;
}

errc finish(backend::system& system, backend::op& op) {
  const time_point limit = system.now() + 10s;
  while (op.pending()) {
    if (system.turn(limit) == turn_result::timed_out && op.pending()) {
      // The operation is in use for ever: no destructor may run.
      std::fprintf(stderr, "an operation did not end within ten seconds\n");
      std::abort();
    }
  }
  return op.result.code;
}

bool stays_pending(backend::system& system, const backend::op& op) {
  const time_point until = system.now() + 50ms;
  while (op.pending() && system.turn(until) != turn_result::timed_out) continue;
  return op.pending();
}

backend::detached_ptr accept(backend::system& system, backend::acceptor& acceptor) {
  an_accept op;
  acceptor.accept(op);
  REQUIRE(finish(system, op) == errc::none);
  return std::move(op.stream);
}

backend::detached_ptr connect(backend::system& system, const endpoint_name& name, impersonation_level level) {
  a_connect op;
  op.name = &name;
  op.level = level;
  const time_point limit = system.now() + 10s;
  do {
    system.connect(op);
    if (finish(system, op) == errc::busy) system.turn(system.now() + 1ms);
  } while (op.result.code == errc::busy && system.now() < limit);
  REQUIRE(op.result.code == errc::none);
  return std::move(op.stream);
}

backend::stream_ptr attach(backend::system& system, backend::detached_ptr stream, backend::attachment how) {
  auto attached = system.attach(std::move(stream), how);
  REQUIRE(attached);
  return std::move(*attached);
}

std::string read(backend::system& system, backend::byte_stream& stream, std::size_t size) {
  std::string text(size, '\0');
  a_read op;
  op.into = std::as_writable_bytes(std::span(text));
  stream.read(op);
  if (finish(system, op) != errc::none) return "<" + std::string(to_string(op.result.code)) + ">";
  if (op.n == 0) return "<end>";
  text.resize(op.n);
  return text;
}

errc write(backend::system& system, backend::byte_stream& stream, std::string_view text) {
  a_write op;
  backend::const_buffer buffer = bytes_of(text);
  op.buffers = {&buffer, 1};
  stream.write(op);
  return finish(system, op);
}

connected_pair a_pair(backend::process& process, backend::system& system, backend::attachment server_as) {
  const endpoint_name name = fresh_name();
  const auto bound = bind(process, name);
  auto acceptor = system.open(bound);
  REQUIRE(acceptor);
  auto client = connect(system, name);
  auto server = accept(system, **acceptor);
  return {attach(system, std::move(server), server_as), attach(system, std::move(client))};
}

}  // namespace tp::test
