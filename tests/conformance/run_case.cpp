// How a conformance case is run: plainly, and again and again under faults.
#include "conformance/run_case.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <optional>

#include "conformance/allowed_skips.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"

namespace tp::conformance {
namespace {

using test::fault_shape;
using test::ledger;
using test::seam_call;
using test::seam_fault;

/// A case of long sends makes thousands of calls, and each run repeats them all: time would grow with their
/// square.
constexpr std::size_t most_failing = test::sanitized ? 24 : 96;

/// Which of `count` calls fail, one run each: in memory all, or `most_failing` spread over the run; three on
/// a real system.
std::vector<std::size_t> numbers(std::size_t count, bool in_memory) {
  const std::size_t runs = std::min<std::size_t>(count, in_memory ? most_failing : 3);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < runs; ++i) chosen.push_back(runs == 1 ? 1 : 1 + i * (count - 1) / (runs - 1));
  return chosen;
}

std::string name_of(const seam_fault& fault) {
  static constexpr std::string_view shapes[] = {"", " and from then on", ", pending first"};
  return std::string(to_string(fault.what)) + " failing at call " + std::to_string(fault.number) +
         std::string(shapes[static_cast<std::size_t>(fault.shape)]) + ": ";
}

/// Empty if the fault did no harm but to the case.
std::string harm_of(const conformance_case& which, const seam_fault& fault) {
  ledger book(fault);
  const outcome came = run_once(which, *make_twin(), book, true);
  const std::string harm = came.breaches + (came.hung ? "it hung: " + came.failures.front() : "");
  return harm.empty() ? harm : name_of(fault) + harm;
}

/// Every fault that there is in a run with so many calls.
std::vector<seam_fault> faults_of(const ledger& counts) {
  const bool in_memory = make_twin()->name() == "sim";
  std::vector<seam_fault> made;
  for (std::size_t i = 0; i < test::seam_calls; ++i) {
    const auto what = static_cast<seam_call>(i);
    const std::size_t count = counts.calls(what);
    for (const std::size_t number : numbers(count, in_memory)) {
      for (std::size_t s = 0; s < test::fault_shapes; ++s) {
        const auto shape = static_cast<fault_shape>(s);
        if (shape != fault_shape::later || may_be_pending(what)) made.push_back({what, number, shape});
      }
    }
  }
  return made;
}

/// A descriptor that is left open shows after all the runs; then one by one, which of them it was.
void check_descriptors(const conformance_case& which, const std::vector<seam_fault>& faults) {
  for (const seam_fault& each : faults) {
    const std::size_t before = make_twin()->open_descriptors();
    static_cast<void>(harm_of(which, each));
    INFO(name_of(each) << "descriptors are left open");
    CHECK(make_twin()->open_descriptors() == before);
  }
}

}  // namespace

outcome run_once(const conformance_case& which, twin& place, ledger& book, bool under_faults) {
  outcome came;
  {
    world w(place, book, under_faults);
    try {
      which.body(w);
    } catch (const unwound&) {
      // Its reason is among the failures.
    } catch (const std::exception& thrown) {
      w.note_failure(std::source_location::current(), std::string("the case threw: ") + thrown.what());
    }
    came.failures = w.failures();
    came.hung = w.given_up();
  }
  came.breaches = book.verdict();
  return came;
}

bool skipped(const conformance_case& which) {
  const auto place = make_twin();
  for (const capability each : which.needed) {
    if (has(place->features(), each)) continue;
    const std::string missing(to_string(each));
    INFO(place->name() << " | " << which.name << " | " << missing << " is no line of skips.txt");
    REQUIRE(skip_is_allowed(place->name(), which.name, missing));
    test::skip("this twin has no " + missing);
    return true;
  }
  return false;
}

std::string_view to_string(capability what) noexcept {
  static constexpr std::string_view names[] = {
      "half_close",       "drain",   "exact_write",      "impersonation", "exit_handle",
      "kernel_instances", "threads", "blocking_streams", "given_handles"};
  static_assert(std::size(names) == capability_count);
  return names[static_cast<std::size_t>(what)];
}

bool has(const backend::capabilities& twin, capability what) noexcept {
  const bool values[] = {
      twin.half_close,       twin.drain,   twin.exact_write,      twin.impersonation, twin.exit_handle,
      twin.kernel_instances, twin.threads, twin.blocking_streams, twin.given_handles};
  static_assert(std::size(values) == capability_count);
  return values[static_cast<std::size_t>(what)];
}

void run_plain(const conformance_case& which) {
  CHECK(wrong_with_skips() == "");
  if (skipped(which)) return;
  ledger book;
  const outcome came = run_once(which, *make_twin(), book, false);
  for (const std::string& each : came.failures) FAIL_CHECK(each);
  if (came.failures.empty()) CHECK(came.breaches == "");
  CHECK(test::take_skip_reason() == "");  // only skips.txt says what may be left out
}

void run_under_faults(const conformance_case& which) {
  if (skipped(which)) return;
  ledger counts;
  const outcome clean = run_once(which, *make_twin(), counts, true);
  for (const std::string& each : clean.failures) FAIL("without any fault: " << each);
  const std::vector<seam_fault> faults = faults_of(counts);
  std::vector<std::string> harms(faults.size());
  std::vector<std::function<void()>> runs;
  for (std::size_t i = 0; i < faults.size(); ++i)
    runs.push_back([&, i] { harms[i] = harm_of(which, faults[i]); });
  const std::size_t before = make_twin()->open_descriptors();
  run_beside(runs);
  const std::size_t after = make_twin()->open_descriptors();
  for (const std::string& each : harms) CHECK(each == "");
  if (after != before) check_descriptors(which, faults);
  CHECK(after == before);
  CHECK(test::take_skip_reason() == "");
}

}  // namespace tp::conformance
