// The file server in simulated worlds: the program that runs on real pipes, not a line of it changed.
#include <catch2/catch.hpp>

#include "file_server_worlds.hpp"
#include "twinpipe/sim/explore.hpp"

using enum file_server_worlds::form;
namespace worlds = file_server_worlds;

TEST_CASE("a client reads only what its own user may read") {
  for (const auto form : {coroutines, threads})
    tp::sim::explore({.runs = 200}, [&](tp::sim::world& world) { worlds::policy(world, form); });
}

TEST_CASE("a fifth client waits until one of the four has left") {
  for (const auto form : {coroutines, threads})
    tp::sim::explore({.runs = 200}, [&](tp::sim::world& world) { worlds::instances(world, form); });
}

TEST_CASE("clients of a server that is killed see the end, and find it again when it has restarted") {
  for (const auto form : {coroutines, threads})
    tp::sim::explore({.runs = 500}, [&](tp::sim::world& world) { worlds::crash(world, form); });
}
