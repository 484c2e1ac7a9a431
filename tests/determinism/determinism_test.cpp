// The same seeds are the same runs: in this process and in every other, with every compiler, at every
// optimisation, in every build.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

#include "sim/threaded_case.hpp"
#include "stored.hpp"
#include "worlds.hpp"

namespace tp::determinism {

TEST_CASE("what is stored is of this format of schedules") {
  if (std::getenv("TWINPIPE_STORE_HASHES") != nullptr) return;  // what is stored now is to be replaced
  std::ifstream list(TWINPIPE_SOURCE_DIR "/tests/determinism/hashes.txt");
  std::string first;
  std::getline(list, first);
  CHECK(first == "# schedule format " + std::to_string(sim::schedule_format));
}

THREADED_TEST_CASE("coroutines, threads, locks, timers, chance and latency over a hundred seeds") {
  explore_as_stored({.runs = 100, .twice = true}, mixed);
}

THREADED_TEST_CASE("a search of all schedules, as far as it comes in three hundred") {
  explore_as_stored({.strategy = sim::strategy::exhaustive, .runs = 300, .preemptions = 2}, mixed);
}

THREADED_TEST_CASE("reads and writes of any length") {
  explore_as_stored({.runs = 40, .short_io = true}, mixed);
}

THREADED_TEST_CASE("seeds that two threads share") {
  explore_as_stored({.runs = 40, .workers = 2}, mixed);
}

THREADED_TEST_CASE("faults, resets, and a server that is killed and starts again") {
  explore_as_stored({.runs = 60}, troubled);
}

THREADED_TEST_CASE("two hosts, one of which loses its power") {
  explore_as_stored({.runs = 60}, two_hosts);
}

THREADED_TEST_CASE("random bytes") {
  explore_as_stored({.runs = 40, .short_io = true}, random_bytes);
}

THREADED_TEST_CASE("a server that acts for clients of each kind") {
  explore_as_stored({.runs = 60}, impersonation);
}

THREADED_TEST_CASE("messages that are stopped on their way") {
  explore_as_stored({.runs = 40, .short_io = true}, withdrawn);
}

THREADED_TEST_CASE("clients that say too little, nonsense or nothing") {
  explore_as_stored({.runs = 60}, strangers);
}

}  // namespace tp::determinism
