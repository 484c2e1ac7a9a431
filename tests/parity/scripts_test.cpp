// Random scripts of operations, on the running kernel's sockets and on the simulated twin's.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "model_sockets.hpp"
#include "script.hpp"

namespace tp::test::parity {

namespace {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

void compare_scripts(bool charges, std::uint64_t scripts) {
  const std::uint64_t first = number_of("TWINPIPE_PARITY_SEED", 1);
  for (std::uint64_t seed = first; seed < first + scripts; ++seed) {
    lockstep sides(std::make_unique<model_sockets>(), charges);
    if (const std::string found = run_script(sides, seed); !found.empty()) FAIL(found);
  }
}

}  // namespace

TEST_CASE("whatever is done to sockets, the kernel and the model say the same") {
  const bool charges = reason_to_skip().empty();
  compare_scripts(charges, number_of("TWINPIPE_PARITY_SCRIPTS", 500));
}

TEST_CASE("what doesn't follow from charges is the same on any kernel") {
  compare_scripts(false, 100);
}

}  // namespace tp::test::parity
