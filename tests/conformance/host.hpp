// A process of a conformance world.
#pragma once

#include <memory>

#include "conformance/world.hpp"
#include "twinpipe/process.hpp"

namespace tp::conformance {

/// Made by the first of its parties, on that party's thread, because a process has the user of the thread
/// that makes it.
class host {
 public:
  host(world& in, user who) noexcept : world_(in), who_(who) {}

  [[nodiscard]] user who() const noexcept { return who_; }
  [[nodiscard]] tp::process& self();

 private:
  world& world_;
  const user who_;
  std::unique_ptr<backend::process> twin_;  ///< guarded by the world, as is self_
  std::unique_ptr<tp::process> self_;
};

}  // namespace tp::conformance
