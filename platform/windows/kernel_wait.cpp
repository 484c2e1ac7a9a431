// RegisterWaitForSingleObject and its careful end.
#include "windows/kernel_wait.hpp"

#include <utility>

namespace tp::platform {

DWORD kernel_wait::arm(HANDLE object) noexcept {
  disarm();
  const BOOL ok =
      RegisterWaitForSingleObject(&registration_, object, fired, this, INFINITE, WT_EXECUTEONLYONCE);
  if (ok) return ERROR_SUCCESS;
  registration_ = nullptr;
  return GetLastError();
}

void kernel_wait::disarm() noexcept {
  // A registration must be taken back even after it has fired; INVALID_HANDLE_VALUE waits for the callback,
  // which may have been started already (UnregisterWaitEx, "Remarks").
  if (HANDLE registration = std::exchange(registration_, nullptr)) {
    UnregisterWaitEx(registration, INVALID_HANDLE_VALUE);
  }
  box_->withdraw(signal_);
}

void CALLBACK kernel_wait::fired(void* self, BOOLEAN) noexcept {
  auto* wait = static_cast<kernel_wait*>(self);
  wait->box_->post(wait->signal_);
}

}  // namespace tp::platform
