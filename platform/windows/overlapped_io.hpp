// One direction of a pipe of our own: one overlapped transfer at a time, its end brought to a loop.
#pragma once

#include <windows.h>

#include <cstddef>
#include <memory>
#include <span>

#include "windows/handle.hpp"
#include "windows/kernel_wait.hpp"

namespace tp::platform {

class overlapped_io {
 public:
  /// How a transfer stands: zero and its bytes, a failure, or ERROR_IO_PENDING: the handler will be called,
  /// and until then, or until abort(), the kernel has the buffer.
  struct answer {
    DWORD cause = ERROR_SUCCESS;
    DWORD n = 0;
  };

  overlapped_io(std::shared_ptr<inbox> box, signal::handler on_end, void* context) noexcept
      : wait_(std::move(box), on_end, context) {}

  /// No more than 1 GiB is moved; an empty buffer waits until there is something to read.
  [[nodiscard]] answer read(HANDLE pipe, std::span<std::byte> into) noexcept;
  [[nodiscard]] answer write(HANDLE pipe, std::span<const std::byte> from) noexcept;
  /// From the handler.
  [[nodiscard]] answer collect(HANDLE pipe) noexcept;
  /// Ends a pending transfer: with ERROR_OPERATION_ABORTED, or with its true result if that came first. For a
  /// pipe of this machine the kernel takes a cancelled transfer back at once, so this doesn't block.
  [[nodiscard]] answer abort(HANDLE pipe) noexcept;

 private:
  [[nodiscard]] DWORD prepare() noexcept;
  [[nodiscard]] answer submitted(HANDLE pipe, BOOL at_once) noexcept;
  [[nodiscard]] answer outcome(HANDLE pipe, BOOL wait) noexcept;

  OVERLAPPED overlapped_{};
  unique_handle event_;
  kernel_wait wait_;
};

}  // namespace tp::platform
