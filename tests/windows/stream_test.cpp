// Streams of the Windows twin, both kinds: data, ends, cancelling, deadlines, closing.
#include <array>
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {
namespace {

using namespace std::chrono_literals;
using backend::attachment;

attachment either() {
  return GENERATE(attachment::established, attachment::half_open);
}

TEST_CASE("what a client writes comes back from the server whole and in order") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  for (const std::string text : {"one", "two", "three"}) {
    REQUIRE(write(*system, *pair.client, text) == errc::none);
    REQUIRE(read(*system, *pair.server) == text);
    REQUIRE(write(*system, *pair.server, "echo of " + text) == errc::none);
    REQUIRE(read(*system, *pair.client) == "echo of " + text);
  }
}

TEST_CASE("once the hello was read by reads of our own the pipe is libuv's, and nothing is lost in between") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, attachment::half_open);
  REQUIRE(write(*system, *pair.client, "hello, and more") == errc::none);
  REQUIRE(read(*system, *pair.server, 5) == "hello");
  REQUIRE(write(*system, *pair.server, "welcome") == errc::none);
  pair.server = attach(*system, pair.server->detach());
  CHECK(pair.server->detach() == nullptr);
  CHECK(read(*system, *pair.server) == ", and more");
  CHECK(read(*system, *pair.client) == "welcome");
  for (const std::string text : {"one", "two"}) {
    REQUIRE(write(*system, *pair.client, text) == errc::none);
    REQUIRE(read(*system, *pair.server) == text);
    REQUIRE(write(*system, *pair.server, text) == errc::none);
    REQUIRE(read(*system, *pair.client) == text);
  }
}

TEST_CASE("a write of many buffers, small and large, arrives as their concatenation") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  const std::array<std::string, 4> parts{"head", std::string(300'000, 'x'), "", "tail"};
  std::array<backend::const_buffer, 4> buffers;
  for (std::size_t i = 0; i < parts.size(); ++i) buffers[i] = bytes_of(parts[i]);
  a_write op;
  op.buffers = buffers;
  pair.server->write(op);
  std::string got;
  while (got.size() < 300'008) got += read(*system, *pair.client);
  CHECK(finish(*system, op) == errc::none);
  CHECK(op.n == 300'008);
  CHECK(got == parts[0] + parts[1] + parts[3]);
}

TEST_CASE("a pending read that is cancelled ends once, on a later turn, and the stream stays usable") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  std::array<std::byte, 16> space{};
  a_read op;
  op.into = space;
  REQUIRE(pair.server->read(op) == backend::start::pending);
  REQUIRE(stays_pending(*system, op));
  pair.server->cancel(op);
  pair.server->cancel(op);
  CHECK(op.pending());
  CHECK(finish(*system, op) == errc::cancelled);
  CHECK(op.completions == 1);
  REQUIRE(write(*system, *pair.client, "after") == errc::none);
  CHECK(read(*system, *pair.server) == "after");
}

TEST_CASE("a read ends with timed_out at its deadline, and bytes that come later are not lost") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  std::array<std::byte, 16> space{};
  a_read op;
  op.into = space;
  op.deadline = system->now() + 10ms;
  pair.server->read(op);
  CHECK(finish(*system, op) == errc::timed_out);
  CHECK(system->now() >= op.deadline);
  REQUIRE(write(*system, *pair.client, "late") == errc::none);
  CHECK(read(*system, *pair.server) == "late");
}

TEST_CASE("a read without a buffer waits until there is something, and takes nothing") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  a_read op;
  REQUIRE(pair.server->read(op) == backend::start::pending);
  REQUIRE(stays_pending(*system, op));
  REQUIRE(write(*system, *pair.client, "here") == errc::none);
  CHECK(finish(*system, op) == errc::none);
  CHECK(op.n == 0);
  CHECK(read(*system, *pair.server) == "here");
}

TEST_CASE("what was written before a close is read, then the end, again and again") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  REQUIRE(write(*system, *pair.client, "last words") == errc::none);
  pair.client.reset();
  CHECK(read(*system, *pair.server) == "last words");
  CHECK(read(*system, *pair.server) == "<end>");
  CHECK(read(*system, *pair.server) == "<end>");
  CHECK(write(*system, *pair.server, "too late") == errc::broken_pipe);
}

TEST_CASE("a write that the pipe has no room for is cancelled, and none of the rest travels") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  const std::string large(4 << 20, 'x');
  backend::const_buffer buffer = bytes_of(large);
  a_write op;
  op.buffers = {&buffer, 1};
  REQUIRE(pair.server->write(op) == backend::start::pending);
  REQUIRE(stays_pending(*system, op));
  pair.server->cancel(op);
  CHECK(finish(*system, op) == errc::cancelled);
  pair.server.reset();
  std::size_t came = 0;
  for (std::string got; (got = read(*system, *pair.client)) != "<end>";) came += got.size();
  CHECK(came < large.size());
}

TEST_CASE("close ends pending operations with closed, on a later turn, and so does release") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  std::array<std::byte, 16> space{};
  a_read reading;
  reading.into = space;
  pair.server->read(reading);
  const std::string large(4 << 20, 'x');
  backend::const_buffer buffer = bytes_of(large);
  a_write writing;
  writing.buffers = {&buffer, 1};
  pair.server->write(writing);
  pair.server.reset();
  CHECK(reading.pending());
  CHECK(writing.pending());
  CHECK(finish(*system, reading) == errc::closed);
  CHECK(finish(*system, writing) == errc::closed);
}

TEST_CASE("after close every start answers closed at once") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  pair.server->close();
  pair.server->close();
  CHECK(read(*system, *pair.server) == "<closed>");
  CHECK(write(*system, *pair.server, "x") == errc::closed);
  CHECK(read(*system, *pair.client) == "<end>");
}

TEST_CASE("half-close and drain are not supported, and say so") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, either());
  an_op shutdown, drain;
  CHECK(pair.server->shutdown(shutdown) == backend::start::done);
  CHECK(shutdown.result.code == errc::not_supported);
  CHECK(pair.server->drain(drain) == backend::start::done);
  CHECK(drain.result.code == errc::not_supported);
  CHECK_FALSE(process->features().half_close);
  CHECK_FALSE(process->features().drain);
}

}  // namespace
}  // namespace tp::test
