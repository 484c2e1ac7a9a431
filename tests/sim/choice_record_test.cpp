// What a run keeps of its choices.
#include "sim/choice_record.hpp"

#include <catch2/catch.hpp>

namespace tp::sim {

TEST_CASE("every choice of a run is kept in its order, small numbers and large ones") {
  choice_record record;
  std::vector<std::uint32_t> made;
  CHECK(record.all().empty());
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    for (const std::uint32_t chosen : {0U, 1U, 254U, 255U, 256U, i, i << 16U, 0xffffffffU}) {
      record.add(chosen);
      made.push_back(chosen);
    }
    if (i == 3) CHECK(record.all() == made);
  }
  CHECK(record.all() == made);
}

}  // namespace tp::sim
