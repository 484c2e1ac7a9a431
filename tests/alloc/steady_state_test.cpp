// In the steady state nothing is allocated: on the simulated twin, and on the real one, where the two sides
// are on one thread and where each has its own.
#include <atomic>
#include <catch2/catch.hpp>
#include <memory_resource>

#include "alloc/counter.hpp"
#include "alloc/traffic.hpp"
#include "process.hpp"
#include "support/skip.hpp"
#include "twinpipe/run.hpp"
#include "twinpipe/sim/world.hpp"

using namespace tp;
using namespace tp::test;

namespace {

constexpr const char* why_not = "counts allocations, and this build has an allocator of its own";
const meter many(500, 10'000), few(5, 20);

void check_all(backend::process& twin, meeting where) {
  for (const arrangement& over : arrangements) {
    for (const traffic& what : all_traffic()) {
      if (what.needs_frames && !over.framed) continue;
      process self(twin);
      CAPTURE(over.name, what.name);
      CHECK(allocations_of(self, where, over, what, what.is_large ? few : many) == 0);
    }
  }
}

}  // namespace

TEST_CASE("in the steady state no send, receive or drain allocates anything in a simulated world") {
  if (!counts_allocations()) return skip(why_not);
  sim::world world;
  const auto twin = world.make_process("both", world.user("somebody"));
  check_all(*twin, meeting::one_runtime);
}

TEST_CASE("in the steady state no send, receive or drain allocates anything on the real system") {
  if (!counts_allocations()) return skip(why_not);
  const auto twin = platform::make_process();
  REQUIRE(twin);
  check_all(**twin, meeting::one_runtime);
  check_all(**twin, meeting::two_threads);
}

TEST_CASE("the counter counts") {
  if (!counts_allocations()) return skip(why_not);
  const long before = allocations();
  const auto made = std::make_unique<int>(1);
  CHECK((allocations() > before && *made == 1));
}

namespace {

/// Counts what is taken and what isn't given back.
class counted_memory final : public std::pmr::memory_resource {
 public:
  std::atomic<long> taken = 0, held = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ++taken, ++held;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    --held;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

TEST_CASE("what connections hold comes from the memory of their process, and all of it goes back") {
  sim::world world;
  const auto twin = world.make_process("both", world.user("somebody"));
  for (const traffic& what : all_traffic()) {
    counted_memory memory;
    process self(*twin, {}, &memory);
    CHECK(&self.memory() == &memory);
    static_cast<void>(allocations_of(self, meeting::one_runtime, arrangements.back(), what, meter(1, 1)));
    // Two connections, a block for each direction, a node for each side of a send and a receive.
    CAPTURE(what.name);
    CHECK((memory.taken >= 6 && memory.held == 0));
  }
}

TEST_CASE("run gives its process the memory that it was given") {
  counted_memory memory;
  const auto converse = [&](process& self) {
    CHECK(&self.memory() == &memory);
    static_cast<void>(
        allocations_of(self, meeting::one_runtime, arrangements.back(), all_traffic().front(), meter(1, 1)));
    return static_cast<int>(self.arguments().size());
  };
  CHECK(run(converse, &memory) == 0);
  std::string name = "program";
  char* arguments = name.data();
  CHECK(run(1, &arguments, converse, &memory) == 1);
  CHECK((memory.taken >= 12 && memory.held == 0));
}
