// A runtime on a loop that the program has anyway: libuv's.
#pragma once

#include <uv.h>

#include <memory>

#include "twinpipe/process.hpp"
#include "twinpipe/runtime.hpp"

namespace tp::uv {

/// A runtime that lives on `loop`, for the thread that runs it: its operations complete inside the program's
/// uv_run, among the program's own handles. The adaptive wait works there too, in the loop's prepare phase;
/// the program's own descriptors and timers end it, but what the program has started since the loop's last
/// poll may wait for its end, 50 microseconds.
///
/// While an operation is pending, uv_run goes on; otherwise the runtime doesn't keep it from returning. (A
/// framed connection always reads, so it keeps it too.) A program that waits for nothing but post() keeps a
/// handle of its own active.
///
/// run() and turn() run the loop, and what else is on it with it, until the task has ended or something
/// completed. They are for the time before and after the program's uv_run: from inside it libuv forbids them.
///
/// The runtime is destroyed on its thread before the loop is closed, and not inside one of its own
/// completions; a callback of the program's is fine (except on Windows, where that may have to run the loop).
/// It closes its own handles and nothing else; libuv lets go of them when the loop is run next, so run it
/// once more before uv_loop_close().
///
/// The program links libuv itself. Errors: not_supported (a simulated process), no_resources, io_error,
/// not_while_impersonating.
[[nodiscard]] inline result<std::unique_ptr<runtime>> create_runtime(process& owner, uv_loop_t& loop,
                                                                     const runtime_options& options = {}) {
  return detail::runtime_maker::make(owner, options, &loop);
}

}  // namespace tp::uv
