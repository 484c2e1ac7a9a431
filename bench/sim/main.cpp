// How fast the simulator is: one figure per call, as JSON. Everything that a test has is on: the trace hash,
// recorded choices, all that is watched for.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "workloads.hpp"

int main(int count, char** words) {
  using namespace bench;
  const bool briefly = count == 2 && std::strcmp(words[1], "smoke") == 0;
  if (count != 2) {
    std::fputs("usage: twinpipe_sim_bench all|smoke|NAME\n", stderr);
    return 2;
  }
  bool any = false;
  for (const workload& each : workloads) {
    if (!briefly && std::strcmp(words[1], "all") != 0 && std::strcmp(words[1], each.name) != 0) continue;
    any = true;
    std::printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", each.name,
                each.run(briefly ? 0.01 : 1.0), each.unit);
    std::fflush(stdout);
  }
  if (!any) std::fprintf(stderr, "twinpipe_sim_bench: no workload is called %s\n", words[1]);
  return any ? 0 : 2;
}
