// Two sides of one connection, each a coroutine that repeats its part, and what they allocate meanwhile.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "twinpipe/connection.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/task.hpp"

namespace tp::test {

/// How the two sides are connected.
struct arrangement {
  const char* name;
  transmission mode;
  profile how;
  bool framed;
};
inline const std::vector<arrangement> arrangements = {
    {"raw bytes", transmission::byte, profile::raw, false},
    {"bytes", transmission::byte, profile::native, false},
    {"framed bytes", transmission::byte, profile::native, true},
    {"messages", transmission::message, profile::native, true},
};

[[nodiscard]] endpoint_options options_of_server(const arrangement& over);
[[nodiscard]] connect_options options_of_client(const arrangement& over);

/// Rounds: some to warm up, those that count, and one in which all ends.
class meter {
 public:
  meter(int warm_up, int counted) noexcept : left_(warm_up + counted + 1), counted_(counted) {}

  /// Is there another round?
  [[nodiscard]] bool next() noexcept;
  /// Allocations in those that count.
  [[nodiscard]] long result() const noexcept { return result_; }

 private:
  int left_;
  int counted_;
  long before_ = 0;
  long result_ = 0;
};

/// What one side does: all its rounds in one coroutine, whose own memory is made before they count.
using part = std::function<task<void>(connection&, meter&)>;

/// A kind of traffic. The client's part decides when a round is over.
struct traffic {
  std::string name;
  part client;
  part server;
  bool is_large = false;      ///< fewer rounds do
  bool needs_frames = false;  ///< drains without them wait for the kernel, a millisecond at a time
};
[[nodiscard]] std::vector<traffic> all_traffic();

/// How the two sides meet: on one runtime of that process, or on two that have a thread each.
enum class meeting : unsigned char { one_runtime, two_threads };

[[nodiscard]] long allocations_of(process& self, meeting where, const arrangement& over, const traffic& what,
                                  meter rounds);

}  // namespace tp::test
