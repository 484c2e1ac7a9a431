// The start of a real program.
#include "twinpipe/run.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include "process.hpp"

namespace tp {

int run(const std::function<int(process&)>& program, std::pmr::memory_resource* memory) {
  return run(0, nullptr, program, memory);
}

int run(int argc, char** argv, const std::function<int(process&)>& program,
        std::pmr::memory_resource* memory) {
  auto twin = platform::make_process();
  if (!twin) {
    std::fprintf(stderr, "%s\n", twin.error().message().c_str());
    return 1;
  }
  process self(**twin, std::vector<std::string>(argv, argv + argc), memory);
  return program(self);
}

}  // namespace tp
