// The seam: everything the portable core asks of an operating system, as small abstract classes, one header
// each.
//
// A twin implements them all: platform/ with the real system, sim/ in memory. The contract stands at each
// declaration; docs/architecture.md says how it came about. Applications don't need this header; tests that
// mock or wrap a twin do.
#pragma once

#include "twinpipe/backend/blocking.hpp"  // IWYU pragma: export
#include "twinpipe/backend/files.hpp"     // IWYU pragma: export
#include "twinpipe/backend/identity.hpp"  // IWYU pragma: export
#include "twinpipe/backend/names.hpp"     // IWYU pragma: export
#include "twinpipe/backend/op.hpp"        // IWYU pragma: export
#include "twinpipe/backend/process.hpp"   // IWYU pragma: export
#include "twinpipe/backend/stream.hpp"    // IWYU pragma: export
#include "twinpipe/backend/system.hpp"    // IWYU pragma: export
#include "twinpipe/backend/threads.hpp"   // IWYU pragma: export
