// Worlds in which the file server is tried out: users, files, clients, and what goes wrong. Each client's
// program fails the run if it doesn't get what it should.
#pragma once

#include "twinpipe/sim/world.hpp"

namespace file_server_worlds {

enum class form { coroutines, threads };  // of the server's workers

/// Each client gets what its own user may read, although the server's could read all.
void policy(tp::sim::world& world, form server);
/// Four clients hold the four instances; a fifth waits until one of them leaves.
void instances(tp::sim::world& world, form server);
/// The server is killed at some moment and starts again. A client sees the end of what it had, and asks
/// again.
void crash(tp::sim::world& world, form server);

}  // namespace file_server_worlds
