// Test cases whose worlds have threads or programs, which are skipped by name where Boost.Context is missing.
#pragma once

#include <catch2/catch.hpp>

#include "support/skip.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::test {

[[nodiscard]] inline bool skipped_without_threads() {
  sim::world world;
  const bool threads = world.make_process("any", world.user("any"))->features().threads;
  if (!threads) skip("needs Boost.Context: the simulator was built without threads");
  return !threads;
}

}  // namespace tp::test

/// TEST_CASE with a body that isn't run there.
#define THREADED_TEST_CASE(name) TWINPIPE_THREADED_CASE(INTERNAL_CATCH_UNIQUE_NAME(threaded_case_), name)
#define TWINPIPE_THREADED_CASE(body, name)              \
  static void body();                                   \
  TEST_CASE(name) {                                     \
    if (!::tp::test::skipped_without_threads()) body(); \
  }                                                     \
  static void body()
