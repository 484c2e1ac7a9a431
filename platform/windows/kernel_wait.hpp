// A kernel object's signal, brought to a loop.
#pragma once

#include <windows.h>

#include <memory>

#include "windows/inbox.hpp"

namespace tp::platform {

/// Waits for one signal of one object, on the system's wait threads (RegisterWaitForSingleObject).
class kernel_wait {
 public:
  kernel_wait(std::shared_ptr<inbox> box, signal::handler on_signal, void* context) noexcept
      : signal_(on_signal, context), box_(std::move(box)) {}
  ~kernel_wait() { disarm(); }
  kernel_wait(const kernel_wait&) = delete;
  kernel_wait& operator=(const kernel_wait&) = delete;

  /// The handler runs once, in a turn, after the object was signalled. Zero, or GetLastError().
  [[nodiscard]] DWORD arm(HANDLE object) noexcept;
  /// Afterwards the handler doesn't run. Waits for a callback under way, which takes a moment. Loop's thread
  /// only.
  void disarm() noexcept;

 private:
  static void CALLBACK fired(void* self, BOOLEAN timed_out) noexcept;

  signal signal_;
  std::shared_ptr<inbox> box_;
  HANDLE registration_ = nullptr;
};

}  // namespace tp::platform
