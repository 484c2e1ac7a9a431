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
  bool given_handles = false;     ///< process::adopt
};

/// One process of one twin: the seam's root, handed to tp::process. Thread-safe, as are names, files,
/// impersonator, threads.
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
};

}  // namespace tp::backend
