// That the scripts would find an error in any line of what docs/simulator.md lists: one is planted, and
// found.
#include <catch2/catch.hpp>
#include <initializer_list>

#include "planted_sockets.hpp"
#include "script.hpp"
#include "support/skip.hpp"

namespace tp::test::parity {

namespace {

/// The seed of the first script that shows it; none has 0.
std::uint64_t found_by(planted error, bool charges, std::uint64_t scripts = 500) {
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    lockstep sides(std::make_unique<planted_sockets>(error), charges);
    if (!run_script(sides, seed).empty()) return seed;
  }
  return 0;
}

void find(std::initializer_list<planted> errors) {
  const bool charges = reason_to_skip().empty();
  for (const planted error : errors) {
    CAPTURE(static_cast<int>(error));
    CHECK(found_by(error, charges) != 0);
  }
}

}  // namespace

TEST_CASE("where no error is planted, none is found") {
  CHECK(found_by(planted::nothing, reason_to_skip().empty(), 50) == 0);
}

TEST_CASE("an error about what a buffer costs is found") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  find({planted::object_is_free, planted::no_overshoot});
}

TEST_CASE("an error about when a charge is given back is found") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  find({planted::charged_by_bytes, planted::still_charged});
}

TEST_CASE("an error about when writers may go on is found") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  find({planted::writable_to_limit, planted::told_by_each_read, planted::never_told});
}

TEST_CASE("an error about the reset after unread data is found") {
  find({planted::reset_twice, planted::reset_to_writers, planted::reset_before_data, planted::reset_stays,
        planted::reset_never, planted::reset_always, planted::reset_but_for_shutdown});
}

TEST_CASE("an error about how the end shows is found") {
  find({planted::end_hidden_by_data, planted::hangup_by_close_only});
}

TEST_CASE("an error about half-close is found") {
  find({planted::deaf_peer_hangs_up, planted::deaf_peer_is_written, planted::deafness_discards});
}

TEST_CASE("an error about who may connect is found") {
  find({planted::backlog_of_n, planted::full_is_refused, planted::silent_is_full, planted::fresh_is_quiet});
}

TEST_CASE("an error about who is accepted is found") {
  find({planted::gone_is_skipped, planted::empty_accept_fails, planted::arrival_untold});
}

TEST_CASE("an error about the clients of a closed listener is found") {
  find({planted::queued_only_end, planted::queued_stay});
}

TEST_CASE("an error about what a read returns is found") {
  find({planted::nothing_is_told, planted::reads_stay_apart});
}

TEST_CASE("an error about urgent bytes is found") {
  if (const std::string reason = reason_to_skip(); !reason.empty()) return skip(reason);
  find({planted::urgent_arrives, planted::urgent_joins});
}

}  // namespace tp::test::parity
