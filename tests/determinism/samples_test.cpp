// The file server of the samples, in both of its forms.
#include <catch2/catch.hpp>

#include "file_server_worlds.hpp"
#include "stored.hpp"

namespace tp::determinism {

using enum file_server_worlds::form;

namespace {

template <auto& Fill, file_server_worlds::form Form>
void fill(sim::world& world) {
  Fill(world, Form);
}

}  // namespace

TEST_CASE("the file server by coroutines: whose files are whose") {
  explore_as_stored({.runs = 30}, fill<file_server_worlds::policy, coroutines>);
}

TEST_CASE("the file server by threads: whose files are whose") {
  explore_as_stored({.runs = 30}, fill<file_server_worlds::policy, threads>);
}

TEST_CASE("the file server by coroutines: a fifth client of four instances") {
  explore_as_stored({.runs = 30}, fill<file_server_worlds::instances, coroutines>);
}

TEST_CASE("the file server by threads: a fifth client of four instances") {
  explore_as_stored({.runs = 30}, fill<file_server_worlds::instances, threads>);
}

TEST_CASE("the file server by coroutines: killed, and started again") {
  explore_as_stored({.runs = 60}, fill<file_server_worlds::crash, coroutines>);
}

TEST_CASE("the file server by threads: killed, and started again") {
  explore_as_stored({.runs = 60}, fill<file_server_worlds::crash, threads>);
}

}  // namespace tp::determinism
