// Whether a read is worth a try at once, when the one before it filled its buffer.
#pragma once

#include <algorithm>

namespace tp::platform {

/// A read that left room in its buffer has emptied the kernel. After one that left none, nobody knows: in a
/// stream there is more, in a conversation of equal messages never, and a try that finds nothing is a system
/// call for nothing. So the tries learn. Two in a row that found nothing, and the next reads wait for an
/// event at once, ever more of them (interest is armed, so that costs a turn if there was something); one
/// that finds something, and all are tried again.
class try_habit {
 public:
  [[nodiscard]] bool worth_it() noexcept {
    if (skips_ == 0) return true;
    --skips_;
    return false;
  }
  void found(bool something) noexcept {
    misses_ = something ? 0 : std::min(misses_ + 1, misses_max);
    skips_ = misses_ < patience ? 0 : 1U << (misses_ - patience + 1);
  }

 private:
  static constexpr int patience = 2;
  static constexpr int misses_max = patience + 9;  // 1,024 skips at most
  int misses_ = 0;
  unsigned skips_ = 0;
};

}  // namespace tp::platform
