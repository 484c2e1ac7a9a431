// What connections cost that do nothing.
#pragma once

#include <cstddef>
#include <string>

namespace bench {

struct idle_manner {
  bool messages = false;
  bool blocking = false;
};

/// Makes so many connections between two processes and prints, as JSON, the bytes of each process for each of
/// them: before any message, and after one each way.
int run_idle(const idle_manner& how, std::size_t connections, const std::string& path);

}  // namespace bench
