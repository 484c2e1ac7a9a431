// What the calls on one socket have learnt of a reset.
#pragma once

#include <atomic>
#include <cstdint>

namespace tp::platform {

/// The kernel tells a reset once, to the read or write that asks first; a reader has to hear of it once, and
/// whoever drains always. These are for several threads.
class reset_news {
 public:
  /// A read was told.
  void read() noexcept { state_.store(state::told); }
  /// A write was told, instead of the reader.
  void written() noexcept {
    state none = state::none;
    state_.compare_exchange_strong(none, state::owed);
  }
  /// For the reader at the end: whether it has still to hear of it.
  [[nodiscard]] bool take() noexcept {
    state owed = state::owed;
    return state_.compare_exchange_strong(owed, state::told);
  }
  [[nodiscard]] bool known() const noexcept { return state_.load() != state::none; }

 private:
  enum class state : std::uint8_t { none, owed, told };
  std::atomic<state> state_ = state::none;
};

}  // namespace tp::platform
