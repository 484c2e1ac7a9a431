// Errors of a kernel, for the tests that a world would find them. Nothing else uses this.
#pragma once

#include "twinpipe/backend/process.hpp"

namespace tp::sim::planted {

/// A byte that the process could read vanishes. False: there is none.
bool lose_byte(backend::process& of);
/// An operation of the process that can be done and waits for its turn gets two of them. False: there is
/// none.
bool complete_twice(backend::process& of);
/// What a peer's close had to tell the process, that it threw bytes away, is forgotten. False: there is
/// nothing.
bool forget_reset(backend::process& of);

/// On the process's machine the names of servers that have died are gone.
void forget_left_sockets(backend::process& of);

}  // namespace tp::sim::planted
