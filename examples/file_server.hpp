// The file server as a function: what its main() runs on real pipes, a test runs in a simulated world.
#pragma once

#include "twinpipe/twinpipe.hpp"

/// Its arguments are in file_server.cpp.
int file_server(tp::process& p);
