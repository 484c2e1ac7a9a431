// What the budget of immediate completions puts off to a later turn of the Windows twin.
#include <array>
#include <catch2/catch.hpp>
#include <deque>

#include "rig.hpp"

namespace tp::test {
namespace {

using namespace std::chrono_literals;
using backend::attachment;
using backend::start;

/// Starts until one is pending, a thousand at most; how many were done.
std::size_t use_up(backend::system& system, std::deque<a_connect>& connects, const endpoint_name& nowhere) {
  do {
    connects.emplace_back().name = &nowhere;
  } while (connects.size() < 1000 && system.connect(connects.back()) == start::done);
  return connects.size() - 1;
}

TEST_CASE("after 256 immediate completions further starts are pending, and complete in a later turn") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system);
  const endpoint_name nowhere = fresh_name();
  std::deque<a_connect> connects;
  system->turn(system->now());
  CHECK(use_up(*system, connects, nowhere) == 256);
  a_write nothing;
  CHECK(pair.client->write(nothing) == start::pending);
  CHECK(finish(*system, nothing) == errc::none);
  CHECK(finish(*system, connects.back()) == errc::not_found);
  CHECK(connects.back().completions == 1);
}

TEST_CASE("what the budget has postponed still has its one attempt when its deadline has passed") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, attachment::half_open);
  REQUIRE(write(*system, *pair.client, "there") == errc::none);
  const endpoint_name name = fresh_name(), nowhere = fresh_name();
  auto acceptor = system->open(bind(*process, name));
  REQUIRE(acceptor);
  // There is an instance for the second only after the first was queued.
  const auto first = connect(*system, name), second = connect(*system, name);
  std::array<std::byte, 16> space{};
  a_read in;
  a_write out;
  an_accept accepted;
  backend::const_buffer back = bytes_of("back");
  in.into = space;
  out.buffers = {&back, 1};
  in.deadline = out.deadline = accepted.deadline = system->now() - 1s;
  std::deque<a_connect> connects;
  use_up(*system, connects, nowhere);
  REQUIRE(pair.server->read(in) == start::pending);
  REQUIRE(pair.server->write(out) == start::pending);
  REQUIRE((*acceptor)->accept(accepted) == start::pending);
  CHECK(finish(*system, in) == errc::none);
  CHECK(in.n == 5);
  CHECK(finish(*system, out) == errc::none);
  CHECK(read(*system, *pair.client) == "back");
  CHECK(finish(*system, accepted) == errc::none);
  CHECK(accepted.stream != nullptr);
  finish(*system, connects.back());
}

}  // namespace
}  // namespace tp::test
