// Random scripts through the public API, on the running system and in a world.
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "script.hpp"
#include "support/sanitized.hpp"

namespace tp::test::parity::api {

namespace {

constexpr std::uint64_t usual = sanitized ? 100 : 500;
/// So many scripts come to all of pairs.txt, whichever they are; the first ones are known to.
constexpr std::uint64_t enough = 3000, enough_of_the_first = 500;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

bool is_set(const char* variable) {
  return std::getenv(variable) != nullptr;
}

std::optional<arm> only_arm() {
  const char* const given = std::getenv("TWINPIPE_PARITY_ARM");
  if (given == nullptr) return std::nullopt;
  const auto found = arm_called(given);
  if (!found) throw std::invalid_argument("there is no such arm: " + std::string(given));
  return found;
}

}  // namespace

TEST_CASE("whatever programs do, on real pipes and in a world they are told the same") {
  const std::uint64_t first = number_of("TWINPIPE_PARITY_SEED", 1);
  const std::uint64_t scripts = number_of("TWINPIPE_PARITY_SCRIPTS", usual);
  const std::optional<arm> only = only_arm();
  const std::string arms = only ? " --arm " + std::string(to_string(*only)) : "";
  pairs seen;
  std::size_t steps = 0;
  for (std::uint64_t seed = first; seed < first + scripts; ++seed) {
    INFO("to replay it: scripts/parity --seed " << seed << " --scripts 1" << arms);
    const script_report came = run_script(seed, seen, {}, only);
    steps += came.steps;
    if (is_set("TWINPIPE_PARITY_SHOW")) std::puts(came.history.c_str());
    if (!came.difference.empty()) FAIL_CHECK(came.difference);
  }
  if (is_set("TWINPIPE_PARITY_REPORT")) {
    std::printf("%s%llu scripts, %zu steps, %zu pairs of an operation and its outcome\n",
                to_text(seen).c_str(), static_cast<unsigned long long>(scripts), steps, seen.size());
  }
  if (only || scripts < (first == 1 ? enough_of_the_first : enough)) return;
  for (const std::string& each : missing_from(seen)) FAIL_CHECK("no script came to this pair: " << each);
}

}  // namespace tp::test::parity::api
