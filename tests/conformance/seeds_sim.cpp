// A third test of each case, in memory only and if it is asked for by its name or tag: under many schedules,
// each made by a seed. TWINPIPE_SEED=7 in the environment runs that one (0x1f is 31), TWINPIPE_SEEDS=5000 so
// many.
#include <string>

#include "conformance/fixture_sim.hpp"
#include "conformance/run_case.hpp"
#include "support/environment.hpp"
#include "support/skip.hpp"
#include "twinpipe/sim/explore.hpp"

namespace tp::conformance {
namespace {

constexpr std::uint64_t usual_seeds = 200;

/// Empty if all is well.
std::string failure_with(const conformance_case& which, std::uint64_t seed) {
  const auto choices = sim::random_choices(seed);
  test::ledger book;
  const auto place = make_memory(*choices, true);
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
