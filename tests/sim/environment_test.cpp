// What whoever runs the tests may ask of them.
#include "support/environment.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace tp::test {

TEST_CASE("a seed in the environment is decimal, or hexadecimal as schedules print it behind 0x") {
  const auto read = [](const char* text) {
    ::setenv("TWINPIPE_TEST_NUMBER", text, 1);
    return number_from("TWINPIPE_TEST_NUMBER");
  };
  CHECK(read("90") == 90);
  CHECK(read("0x5a") == 90);
  CHECK(read("0x7477696e70697065") == 0x7477696e70697065);
  ::unsetenv("TWINPIPE_TEST_NUMBER");
  CHECK(number_from("TWINPIPE_TEST_NUMBER") == std::nullopt);
}

}  // namespace tp::test
