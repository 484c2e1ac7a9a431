// That the scripts would find a simulator that is wrong: what it says is changed, and the script that shows
// it is found.
#include <catch2/catch.hpp>
#include <optional>

#include "script.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"

namespace tp::test::parity::api {

namespace {

using change = void (*)(completion&);

/// What it takes more than a hundred scripts to find is left to builds without a sanitizer.
constexpr bool looks_for_rare_errors = !sanitized;

/// The seed of the first script that shows it; none has 0.
std::uint64_t found_by(const meddling& error, std::uint64_t scripts = 500, std::optional<arm> only = {}) {
  pairs seen;
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    if (!run_script(seed, seen, error, only).difference.empty()) return seed;
  }
  return 0;
}

std::uint64_t found_by(change error, std::uint64_t scripts = 500) {
  return found_by(meddling{.says = error}, scripts);
}

/// Only the code changes.
template <verb what, errc from, errc to>
void swap_code(completion& c) {
  if (c.what == what && c.code == from) c.code = to;
}

}  // namespace

TEST_CASE("where nothing is changed, no difference is found") {
  CHECK(found_by([](completion&) {}, 20) == 0);
}

TEST_CASE("an error about what a failed operation is told is found") {
  CHECK(found_by(swap_code<verb::send, errc::broken_pipe, errc::closed>) != 0);
  CHECK(found_by(swap_code<verb::connect, errc::server_gone, errc::busy>) != 0);
  CHECK(found_by(swap_code<verb::connect, errc::busy, errc::timed_out>) != 0);
  CHECK(found_by(swap_code<verb::drain, errc::discarded, errc::none>) != 0);
  CHECK(found_by(swap_code<verb::bind, errc::name_in_use, errc::access_denied>) != 0);
  if (looks_for_rare_errors) CHECK(found_by(swap_code<verb::send, errc::queue_full, errc::none>) != 0);
}

TEST_CASE("an end in place of a reset is found, and a reset in place of an end") {
  const change no_reset = [](completion& c) { c.discarded = false; };
  const change always_reset = [](completion& c) { c.discarded = c.end; };
  CHECK(found_by(no_reset) != 0);
  CHECK(found_by(always_reset) != 0);
}

TEST_CASE("an end that comes for an error, and an error for an end, is found") {
  const change lost = [](completion& c) {
    if (c.end) c.end = false, c.code = errc::connection_lost;
  };
  CHECK(found_by(lost) != 0);
  CHECK(found_by(swap_code<verb::receive_more, errc::closed, errc::cancelled>) != 0);
}

TEST_CASE("an error about what became of the bytes of who closes is found") {
  const change optimist = [](completion& c) {
    if (c.delivered == delivery::discarded) c.delivered = delivery::delivered;
  };
  const change sure = [](completion& c) {
    if (c.delivered == delivery::unknown) c.delivered = delivery::discarded;
  };
  CHECK(found_by(optimist) != 0);
  CHECK(found_by(sure) != 0);
}

TEST_CASE("a byte that is lost is found, and a message that is cut") {
  const change shorter = [](completion& c) {
    if (c.what == verb::receive_all && c.n > 100) --c.n;
  };
  const change whole = [](completion& c) { c.complete = true; };
  CHECK(found_by(shorter) != 0);
  CHECK(found_by(whole) != 0);
}

TEST_CASE("an error about who somebody is, and what he may, is found") {
  if (!may_be_others()) return skip("needs root: other users connect");
  const change impostor = [](completion& c) {
    if (c.peer == 1) c.peer = 0;
  };
  const change no_level = [](completion& c) { c.level = impersonation_level::anonymous; };
  CHECK(found_by(impostor) != 0);
  CHECK(found_by(no_level) != 0);
  CHECK(found_by(swap_code<verb::connect, errc::access_denied, errc::untrusted_server>) != 0);
  if (looks_for_rare_errors)
    CHECK(found_by(swap_code<verb::read_file, errc::access_denied, errc::none>) != 0);
}

TEST_CASE("an error about what a process leaves when it dies is found") {
  CHECK(found_by(meddling{.does = flaw::death_closes_nothing}) != 0);
  if (!may_be_others()) return skip("needs root: a dead server's name refuses only other users");
  CHECK(found_by(meddling{.does = flaw::death_takes_names}) != 0);
}

TEST_CASE("a death by SIGPIPE is found, of a program of tasks and of one that blocks") {
  const meddling error{.does = flaw::death_by_sigpipe};
  for (const bool blocking : {false, true}) CHECK(found_by(error, 500, arm{.blocking = blocking}) != 0);
}

}  // namespace tp::test::parity::api
