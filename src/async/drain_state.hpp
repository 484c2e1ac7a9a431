// What a connection needs only once one side shuts down or asks whether its data arrived.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "async/connection_operations.hpp"

namespace tp::detail {

/// Most connections never have one, or only at their end.
struct drain_state {
  explicit drain_state(std::pmr::memory_resource& memory) noexcept : withheld(&memory) {}

  /// As new, but for memory that it keeps.
  void reset() noexcept {
    shutting = nullptr;
    end_item = nullptr;
    sent = answered = wanted = wanted_to_close = 0;
    withheld.clear();
  }

  drain_state* next_free = nullptr;
  lent_op shutdown_op, drain_op;
  shutdown_operation* shutting = nullptr;
  core::outgoing* end_item = nullptr;  ///< while it is in the queue
  std::uint64_t sent = 0;              ///< token of the last DRAIN
  std::uint64_t answered = 0;          ///< that of the last DRAINED that came
  /// The one that a drain, or a close, waits for; 0: a DRAIN of its own may not be sent yet.
  std::uint64_t wanted = 0, wanted_to_close = 0;
  std::pmr::vector<std::uint64_t> withheld;  ///< DRAINs of the peer that the application isn't ready for
};

}  // namespace tp::detail
