// What is measured of the simulator.
#pragma once

#include <array>
#include <cstdint>

namespace bench {

/// `hash`: of all that happened in the worlds; equal for equal scales.
struct figure {
  double value;
  std::uint64_t hash;
};

/// `scale`: 1 for a measurement, less for a look whether it works.
struct workload {
  const char* name;
  const char* unit;
  figure (*run)(double scale);
};

[[nodiscard]] figure coroutine_steps(double scale);
[[nodiscard]] figure fiber_steps_64(double scale);
[[nodiscard]] figure fiber_steps_1000(double scale);
[[nodiscard]] figure seam_round_trips(double scale);
[[nodiscard]] figure round_trips(double scale);
[[nodiscard]] figure tiny_worlds(double scale);
[[nodiscard]] figure day(double scale);
[[nodiscard]] figure idle_connection(double scale);
[[nodiscard]] figure many_connections(double scale);

inline constexpr std::array workloads{
    workload{"coroutine_steps", "1/s", coroutine_steps},
    workload{"fiber_steps_64", "1/s", fiber_steps_64},
    workload{"fiber_steps_1000", "1/s", fiber_steps_1000},
    workload{"seam_round_trips", "1/s", seam_round_trips},
    workload{"round_trips", "1/s", round_trips},
    workload{"tiny_worlds", "1/s", tiny_worlds},
    workload{"day", "s", day},
    workload{"idle_connection", "bytes", idle_connection},
    workload{"many_connections", "MiB", many_connections},
};

}  // namespace bench
