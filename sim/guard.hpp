// Who looks after a world from beside it, as far as a world knows: what it is, and who runs worlds, stands
// above (explorer/).
#pragma once

#include <memory>

#include "twinpipe/sim/world.hpp"

namespace tp::sim {

/// Sees when one of its worlds makes no step any more, and ends the program with a report.
class guard {
 public:
  virtual ~guard() = default;
  /// From here on, until leave(), the world is looked at.
  virtual void watch(const std::shared_ptr<const world::state>& what) = 0;
  virtual void leave(const world::state& what) noexcept = 0;
  [[nodiscard]] virtual duration patience() const noexcept = 0;
};

/// For a world that nobody explores.
[[nodiscard]] std::unique_ptr<guard> make_guard(duration patience);

}  // namespace tp::sim
