// A kernel handle with an owner.
#pragma once

#include <windows.h>

#include <utility>

namespace tp::platform {

class unique_handle {
 public:
  unique_handle() noexcept = default;
  /// INVALID_HANDLE_VALUE and null both mean none: Windows answers the one or the other, by the call.
  explicit unique_handle(HANDLE value) noexcept : value_(value == INVALID_HANDLE_VALUE ? nullptr : value) {}
  unique_handle(unique_handle&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  unique_handle& operator=(unique_handle&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~unique_handle() { reset(); }

  [[nodiscard]] explicit operator bool() const noexcept { return value_ != nullptr; }
  [[nodiscard]] HANDLE get() const noexcept { return value_; }
  [[nodiscard]] HANDLE release() noexcept { return std::exchange(value_, nullptr); }
  void reset() noexcept {
    if (value_ != nullptr) CloseHandle(std::exchange(value_, nullptr));
  }

 private:
  HANDLE value_ = nullptr;
};

}  // namespace tp::platform
