// All that a twin gives to one process.
#pragma once

#include <memory>
#include <string_view>

#include "twinpipe/backend/blocking.hpp"
#include "twinpipe/backend/files.hpp"
#include "twinpipe/backend/identity.hpp"
#include "twinpipe/backend/names.hpp"
#include "twinpipe/backend/system.hpp"
#include "twinpipe/backend/threads.hpp"

namespace tp::backend {

/// What a twin can do beyond the least. A conformance case may be skipped for lack of one of these, and for
/// nothing else.
struct capabilities {
  bool half_close = false;        ///< shutdown of one direction without frames
  bool drain = false;             ///< byte_stream::drain
  bool exact_write = false;       ///< see write_op
  bool impersonation = false;     ///< impersonator::enter can work for another user
  bool exit_handle = false;       ///< identity::process
  bool kernel_instances = false;  ///< the kernel counts instances itself
  bool threads = false;           ///< threads::start_thread
  bool blocking_streams = false;  ///< process::attach_blocking
  bool given_handles = false;     ///< process::adopt
};

/// One process of one twin: the seam's root, handed to tp::process. Thread-safe, as are names, files,
/// impersonator, threads.
///
/// A simulator may kill a process while all these objects live on. From then on
/// - bind, open, attach, make_system, start_thread, open_directory, read, check, enter and the start of each
///   operation but schedule answer process_killed, at once and without effect;
/// - what was pending completes with process_killed in the next turn, which touches no buffer any more;
///   a turn never waits, and answers stalled when there is nothing left to complete;
/// - threads that wait in a call return from it, with process_killed where it has a result; sleep_until and
///   waits for a condition or an event end at once; locks and joins are as before, among the threads of the
///   process;
/// - random fills with zeros; log, cancel, close, withdraw and revert do nothing; detach answers null;
/// - what only tells (self, features, peer, location, now) tells what it told before, and destructors and
///   release() do their work.
/// The kernel has closed its descriptors, in the order of their opening: others find its connections ended or
/// reset, its backlogs reset and its names free.
class process {
 public:
  virtual ~process() = default;
  [[nodiscard]] virtual capabilities features() const noexcept = 0;
  [[nodiscard]] virtual const identity& self() const noexcept = 0;
  [[nodiscard]] virtual backend::names& names() noexcept = 0;
  [[nodiscard]] virtual backend::files& files() noexcept = 0;
  [[nodiscard]] virtual backend::impersonator& impersonator() noexcept = 0;
  [[nodiscard]] virtual backend::threads& threads() noexcept = 0;
  /// A loop for the calling thread, or one on a loop of the program's. not_supported (a twin that knows no
  /// such loops), no_resources, io_error.
  [[nodiscard]] virtual result<std::unique_ptr<system>> make_system(const system_options& options = {}) = 0;
  /// A stream that no loop turns: every start answers done; see blocking_stream. One that can't be attached
  /// is closed. invalid_argument (null, or no stream of this twin), not_supported (always so without the
  /// capability blocking_streams), no_resources, io_error.
  [[nodiscard]] virtual result<blocking_stream_ptr> attach_blocking(detached_ptr stream) = 0;
  /// not_supported (without the capability blocking_streams), no_resources.
  [[nodiscard]] virtual result<std::unique_ptr<interrupt>> make_interrupt() = 0;
  /// A byte stream of handles that the program was given: reads come from `in`, writes go to `out`; equal
  /// ones are one handle. They are the twin's from the call on, also when it fails, unless the answer is
  /// not_supported: a twin that knows no handles leaves them alone. Posix: a connected stream socket, or
  /// whatever can be waited for, as pipes and terminals can; it becomes non-blocking for everybody who shares
  /// it. With two handles shutdown closes `out`. Only a Unix socket for both has a peer that is known, and
  /// drain. Errors: invalid_argument (not open, a regular file, a socket that isn't connected, the wrong
  /// direction), not_supported, no_resources, io_error.
  [[nodiscard]] virtual result<detached_ptr> adopt(native_handle in, native_handle out) = 0;
  /// One line for the operator: standard error of a real process, the trace of a simulated one.
  virtual void log(std::string_view line) noexcept = 0;
  /// Only a simulated one can be, and go on all the same.
  [[nodiscard]] virtual bool killed() const noexcept { return false; }
};

}  // namespace tp::backend
