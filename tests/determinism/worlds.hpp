// Worlds whose hashes are stored. Programs take whatever happens to them; what happened is in the hash.
//
// In an expression of theirs there is one call of the library at most: compilers differ in the order of
// arguments.
#pragma once

#include "twinpipe/sim/world.hpp"

namespace tp::determinism {

/// Coroutines and threads, locks, conditions, timers, chance and latency.
void mixed(sim::world& world);
/// Calls that fail, connections that are reset, and a server that is killed and starts again.
void troubled(sim::world& world);
/// Two machines with the same names and users; one of them loses its power.
void two_hosts(sim::world& world);
/// Random bytes decide how much is sent, and are what is sent.
void random_bytes(sim::world& world);
/// Users of each kind and level ask a server to act for them.
void impersonation(sim::world& world);
/// Messages that are stopped on their way, by threads and by deadlines, among others that aren't.
void withdrawn(sim::world& world);
/// Clients that say too little, nonsense or nothing, and two threads that accept.
void strangers(sim::world& world);

}  // namespace tp::determinism
