// Everything an application needs.
#pragma once

#include "twinpipe/blocking.hpp"    // IWYU pragma: export
#include "twinpipe/buffer.hpp"      // IWYU pragma: export
#include "twinpipe/connection.hpp"  // IWYU pragma: export
#include "twinpipe/endpoint.hpp"    // IWYU pragma: export
#include "twinpipe/error.hpp"       // IWYU pragma: export
#include "twinpipe/escape.hpp"      // IWYU pragma: export
#include "twinpipe/files.hpp"       // IWYU pragma: export
#include "twinpipe/listener.hpp"    // IWYU pragma: export
#include "twinpipe/options.hpp"     // IWYU pragma: export
#include "twinpipe/process.hpp"     // IWYU pragma: export
#include "twinpipe/run.hpp"         // IWYU pragma: export
#include "twinpipe/runtime.hpp"     // IWYU pragma: export
#include "twinpipe/task.hpp"        // IWYU pragma: export
#include "twinpipe/task_group.hpp"  // IWYU pragma: export
#include "twinpipe/thread.hpp"      // IWYU pragma: export
