// Two processes, a server and a client, each on its core.
#pragma once

#include <optional>

#include "contender.hpp"

namespace bench {

struct pair_report {
  report server;
  report client;
};

/// Forks both, so the caller must have no threads. `cores`: 1: both on one, 2: each on its own, 0: anywhere.
/// Nothing if either fails, which it says itself, or takes longer than a minute.
[[nodiscard]] std::optional<pair_report> run_pair(const contender& who, const job& work, int cores);

/// Binds the calling process to its core of `cores`; 0: to none.
void pin(int cores, session::side side);

}  // namespace bench
