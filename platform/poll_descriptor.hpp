// One descriptor that tells a program with a loop of its own when ours has something to do.
#pragma once

#include <uv.h>

#include <memory>

#include "twinpipe/backend/stream.hpp"
#include "twinpipe/error.hpp"

namespace tp::platform {

/// Readable when the loop's poll would find something, when a deadline has come, or while it is said that
/// there is work that waits for nothing.
class poll_descriptor {
 public:
  virtual ~poll_descriptor() = default;
  [[nodiscard]] virtual backend::native_handle number() const noexcept = 0;
  virtual void set_work(bool waits) noexcept = 0;
  virtual void set_deadline(time_point next) noexcept = 0;
};

/// Errors: not_supported, no_resources, io_error.
[[nodiscard]] result<std::unique_ptr<poll_descriptor>> make_poll_descriptor(const uv_loop_t& loop);

}  // namespace tp::platform
