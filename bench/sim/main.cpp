// How fast the simulator is: one figure per call, as JSON. Everything that a test has is on: the trace hash,
// recorded choices, all that is watched for.
#include <sched.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads.hpp"

namespace {

/// To the last core that the program may use: the first ones have more to do with interrupts.
void pin() {
  cpu_set_t allowed, one;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) std::perror("twinpipe_sim_bench: sched_setaffinity");
    return;
  }
}

}  // namespace

int main(int count, char** words) {
  using namespace bench;
  if (count < 2 || count > 3) {
    std::fputs("usage: twinpipe_sim_bench list | smoke | NAME [SCALE]\n", stderr);
    return 2;
  }
  const bool lists = std::strcmp(words[1], "list") == 0, briefly = std::strcmp(words[1], "smoke") == 0;
  const double scale = count == 3 ? std::atof(words[2]) : briefly ? 0.01 : 1.0;
  pin();
  bool any = lists;
  for (const workload& each : workloads) {
    if (lists) std::printf("%s\n", each.name);
    if (lists || (!briefly && std::strcmp(words[1], each.name) != 0)) continue;
    any = true;
    const figure got = each.run(scale);
    std::printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"hash\": \"%016" PRIx64 "\"}\n",
                each.name, got.value, each.unit, got.hash);
    std::fflush(stdout);
  }
  if (!any) std::fprintf(stderr, "twinpipe_sim_bench: no workload is called %s\n", words[1]);
  return any ? 0 : 2;
}
