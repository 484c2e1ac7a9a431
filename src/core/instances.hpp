// The count of an endpoint's instances.
#pragma once

#include <cassert>
#include <cstddef>

namespace tp::core {

/// Slots of an endpoint: never more in use than the maximum.
class instances {
 public:
  explicit instances(std::size_t maximum) noexcept : maximum_(maximum) {}

  [[nodiscard]] bool try_take() noexcept {
    if (used_ >= maximum_) return false;
    ++used_;
    return true;
  }
  void give_back() noexcept {
    assert(used_ > 0);
    --used_;
  }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  std::size_t maximum_;
  std::size_t used_ = 0;
};

}  // namespace tp::core
