// A third test of each case, in memory only and if it is asked for by its name or tag: under many schedules,
// each made by a seed. TWINPIPE_SEED=7 in the environment runs that one, TWINPIPE_SEEDS=5000 so many.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "conformance/fixture_sim.hpp"
#include "conformance/run_case.hpp"
#include "support/environment.hpp"
#include "support/skip.hpp"
#include "twinpipe/sim/explore.hpp"

namespace tp::conformance {
namespace {

constexpr std::uint64_t usual_seeds = 200;

/// Cases about what one read sees of what is there, about a whole frame at one moment, or a pipe that a write
/// has filled. In all others reads
/// and writes move fewer bytes than they could.
constexpr std::array<std::string_view, 5> about_one_call{
    "an operation stopped before it starts does nothing",
    "a close with data unread tells the peer that it was discarded",
    "a message that cannot be withdrawn in time ends the connection",
    "a program that only sends confirms what it has received",
    "a thread that waits in a send answers the peer's drain",
};

/// Empty if all is well.
std::string failure_with(const conformance_case& which, std::uint64_t seed) {
  const auto choices = sim::random_choices(seed);
  test::ledger book;
  const auto place =
      make_memory(*choices, std::ranges::find(about_one_call, which.name) == about_one_call.end());
  const outcome came = run_once(which, *place, book, true);
  std::string text;
  for (const std::string& each : came.failures) text += each + "; ";
  text += came.breaches;
  return text.empty() ? text : text + "\n" + place->recent_events();
}

/// What runs just the seed that failed; printed also if the program aborts.
std::string how_to_repeat(const conformance_case& which, std::uint64_t seed) {
  const std::string number = std::to_string(seed);
  std::string name;
  for (const char each : which.name)
    name.append(each == ',' ? "\\," : std::string(1, each));  // Catch2's "or"
  return "seed " + number + "; again: TWINPIPE_SEED=" + number + " and this program with '" + name +
         " (over seeds)'";
}

void run_over_seeds(const conformance_case& which) {
  if (skipped(which)) return;
  const auto only = test::number_from("TWINPIPE_SEED");
  const std::uint64_t first = only.value_or(1);
  const std::uint64_t count = only ? 1 : test::number_from("TWINPIPE_SEEDS").value_or(usual_seeds);
  for (std::uint64_t seed = first; seed != first + count; ++seed) {
    INFO(how_to_repeat(which, seed));
    REQUIRE(failure_with(which, seed) == "");
  }
  CHECK(test::take_skip_reason() == "");
}

class over_seeds final : public Catch::ITestInvoker {
 public:
  explicit over_seeds(const conformance_case& which) noexcept : case_(which) {}
  void invoke() const override { run_over_seeds(case_); }

 private:
  const conformance_case& case_;
};

}  // namespace

void add_tests(const conformance_case& which) {
  const std::string name = std::string(which.name) + " (over seeds)";
  const Catch::AutoReg added(new over_seeds(which), CATCH_INTERNAL_LINEINFO, "", {name, "[.][seeds]"});
}

}  // namespace tp::conformance
