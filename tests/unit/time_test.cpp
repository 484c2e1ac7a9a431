// Deadlines.
#include "twinpipe/time.hpp"

#include <catch2/catch.hpp>
#include <chrono>

using namespace std::chrono_literals;

namespace {

constexpr tp::time_point at(tp::duration since_origin) {
  return tp::time_point(since_origin);
}

}  // namespace

TEST_CASE("a deadline is now plus the duration") {
  CHECK(tp::deadline_after(at(5s), 2s) == at(7s));
  CHECK(tp::deadline_after(at(5s), 0s) == at(5s));
  CHECK(tp::deadline_after(at(5s), -2s) == at(3s));
}

TEST_CASE("a duration too large to add means never") {
  CHECK(tp::deadline_after(at(0s), tp::duration::max()) == tp::never);
  CHECK(tp::deadline_after(at(1h), tp::duration::max()) == tp::never);
  CHECK(tp::deadline_after(tp::never, 1ns) == tp::never);
  CHECK(tp::deadline_after(tp::never, 0ns) == tp::never);
}

TEST_CASE("the largest duration that can be added is not never") {
  const tp::time_point now = at(1s);
  const tp::duration largest = tp::never - now - 1ns;
  CHECK(tp::deadline_after(now, largest) == now + largest);
  CHECK(tp::deadline_after(now, largest) != tp::never);
  CHECK(tp::deadline_after(now, largest + 1ns) == tp::never);
}

TEST_CASE("deadlines can be computed at compile time") {
  static_assert(tp::deadline_after(tp::time_point(1s), 1s) == tp::time_point(2s));
  static_assert(tp::clock::is_steady);
  SUCCEED();
}
