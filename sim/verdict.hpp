// What is wrong with a world in which nobody can go on, and what it looks like.
#pragma once

#include <string>

#include "scheduler.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::sim {

/// Threads that wait for each other, in sentences, or empty: whoever waits, waits for clients or serves in
/// the background.
[[nodiscard]] std::string find_deadlock(const world::state& world);
/// A line about threads that wait for each other's locks, whoever else can go on; or empty.
[[nodiscard]] std::string find_lock_cycle(const world::state& world);
/// "waits to read at connection 4, since 0.000001s", "can go on".
[[nodiscard]] std::string describe_wait(const world::state& world, const thread& who);
/// Everything that can be seen (dump.cpp).
[[nodiscard]] std::string describe(const world::state& world);

/// A sentence about a rule for faults that means a process that never was; or empty.
[[nodiscard]] std::string find_misnamed(const world::state& world);

/// The run fails if bytes were lost that somebody could still read.
void check_accounts(world::state& world);

}  // namespace tp::sim
