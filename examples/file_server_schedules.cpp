// file_server_schedules RUNS: the file server and four clients of three users in so many schedules, once with
// workers that are coroutines and once with threads that block.
#include <cstdio>
#include <cstdlib>

#include "file_server_worlds.hpp"
#include "twinpipe/sim/explore.hpp"

int main(int argc, char** argv) {
  using enum file_server_worlds::form;
  const auto runs = static_cast<std::uint64_t>(argc > 1 ? std::atoi(argv[1]) : 1000);
  try {
    for (const auto form : {coroutines, threads}) {
      const auto seen =
          tp::sim::explore({.runs = runs}, [&](auto& world) { file_server_worlds::policy(world, form); });
      std::printf(
          "%s with workers that are %s: each client got what its own user may read; %.0f per second\n",
          seen.to_string().c_str(), form == threads ? "threads" : "coroutines",
          static_cast<double>(seen.runs) / seen.seconds);
    }
  } catch (const tp::sim::exploration_failed&) {
    return 1;  // it has printed its report
  }
  return 0;
}
