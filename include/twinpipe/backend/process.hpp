// All that a twin gives to one process.
#pragma once

#include <memory>
#include <string_view>

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
  bool threads = false;           ///< start_thread and blocking calls
};

/// One process of one twin: the seam's root, handed to tp::process. Thread-safe, as are names, files,
/// impersonator, threads.
///
/// A simulator may kill a process while all these objects live on. From then on
/// - bind, open, attach, make_system, start_thread, open_directory, read, check, enter and the start of each
///   operation but schedule answer process_killed, at once and without effect;
/// - what was pending or scheduled is forgotten, and so is what is scheduled from now on: handlers are never
///   called, and the operations may be destroyed;
/// - a turn does nothing and answers stalled; sleep_until and waits for a condition or an event end at once;
///   random fills with zeros; log, wake, cancel, close, withdraw and revert do nothing; detach answers null;
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
  /// A loop for the calling thread. no_resources, io_error.
  [[nodiscard]] virtual result<std::unique_ptr<system>> make_system() = 0;
  /// One line for the operator: standard error of a real process, the trace of a simulated one.
  virtual void log(std::string_view line) noexcept = 0;
};

}  // namespace tp::backend
