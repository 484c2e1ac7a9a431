// When a loop that may spin before it sleeps (wait_strategy::adaptive) does so.
#pragma once

#include <algorithm>
#include <chrono>

#include "twinpipe/time.hpp"

namespace tp::platform {

/// Spinning pays while something comes sooner than a sleep and a wake-up take. It begins after a few sleeps
/// in a row that were short, and ends with the first spin in vain; so an idle loop, or one where only timers
/// come or something now and then, spins once at most and sleeps from then on. If it ended sooner than it
/// took to begin, as it does where both sides share a core, it takes twice as many short sleeps the next
/// time, up to 1,024. A spin that finds something late gains time and costs more than the sleep would: eight
/// in a row count as in vain.
class spin_habit {
 public:
  /// No spin takes longer. Less than a wake-up, and two sides that begin would miss each other.
  static constexpr duration bound = std::chrono::microseconds(50);

  [[nodiscard]] bool worth_it() const noexcept { return spinning_; }

  /// After a sleep: how long, and whether it ended because something came, other than time.
  void slept(duration how_long, bool something_came) noexcept {
    short_sleeps_ = something_came && how_long <= 2 * bound ? short_sleeps_ + 1 : 0;
    if (short_sleeps_ < needed_) return;
    spinning_ = true;
    short_sleeps_ = hits_ = late_ = 0;
  }
  /// After a spin.
  void spun(duration how_long, bool something_came) noexcept {
    ++spins_;
    late_ = how_long > dear ? late_ + 1 : 0;
    if (something_came && how_long <= bound && late_ < late_max) {
      ++hits_;
      return;
    }
    spinning_ = false;
    needed_ = hits_ >= needed_ ? needed_min : std::min(2 * needed_, needed_max);
  }
  /// So far.
  [[nodiscard]] std::size_t spins() const noexcept { return spins_; }

 private:
  static constexpr duration dear = std::chrono::microseconds(30);
  static constexpr unsigned late_max = 8, needed_min = 4, needed_max = 1024;

  std::size_t spins_ = 0;
  unsigned short_sleeps_ = 0, needed_ = needed_min, hits_ = 0, late_ = 0;
  bool spinning_ = false;
};

}  // namespace tp::platform
