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
  /// A stream that no loop turns: every start answers done; see byte_stream. One that can't be attached is
  /// closed. invalid_argument (null, or no stream of this twin), not_supported (always so without the
  /// capability threads), no_resources, io_error.
  [[nodiscard]] virtual result<stream_ptr> attach_blocking(detached_ptr stream) = 0;
  /// One line for the operator: standard error of a real process, the trace of a simulated one.
  virtual void log(std::string_view line) noexcept = 0;
};

}  // namespace tp::backend
