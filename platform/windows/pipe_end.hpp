// One end of a connected pipe that no loop has, and who is at the other one.
#pragma once

#include <memory>

#include "twinpipe/backend/stream.hpp"
#include "twinpipe/backend/twin.hpp"
#include "windows/handle.hpp"

namespace tp::platform {

struct pipe_end {
  /// Freed after the handle is closed: the pool may then make the next instance where the kernel counts them.
  std::shared_ptr<void> place;
  unique_handle handle;
  identity peer;
  /// The kernel would not say yet who the client is; see learn_client().
  bool peer_unknown = false;
};

/// What travels between threads. The handle belongs to no completion port: libuv would tie it to one loop for
/// good.
class detached_pipe final : public backend::detached_stream {
 public:
  explicit detached_pipe(pipe_end end) noexcept : end_(std::move(end)) {}
  [[nodiscard]] const identity& peer() const noexcept override { return end_.peer; }
  [[nodiscard]] pipe_end take() noexcept { return std::move(end_); }

 private:
  pipe_end end_;
};
static_assert(backend::implements<detached_pipe, backend::detached_stream>);

}  // namespace tp::platform
