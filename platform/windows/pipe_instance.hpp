// One instance of a pipe: created, waiting for its client, or reached by it.
#pragma once

#include <windows.h>

#include <string>

#include "windows/handle.hpp"

namespace tp::platform {

class instance_pool;

class pipe_instance {
 public:
  struct recipe {
    const std::wstring& name;
    void* security;
    DWORD kernel_limit;
    DWORD first_flag;  ///< FILE_FLAG_FIRST_PIPE_INSTANCE or 0
  };

  explicit pipe_instance(instance_pool& pool) noexcept : pool_(pool) {}
  /// Waits for a callback under way, so the pool's lock must not be held, unless the instance never listened.
  ~pipe_instance();
  pipe_instance(const pipe_instance&) = delete;
  pipe_instance& operator=(const pipe_instance&) = delete;

  /// Zero, or GetLastError().
  [[nodiscard]] DWORD create(const recipe& how) noexcept;
  /// Zero: a client is there already. ERROR_IO_PENDING: instance_pool::reached() will be called. Else a
  /// failure.
  [[nodiscard]] DWORD listen() noexcept;
  /// The connected pipe, free of this object. Waits for a callback under way.
  [[nodiscard]] unique_handle take() noexcept;

 private:
  static void CALLBACK fired(void* self, BOOLEAN timed_out) noexcept;
  void disarm() noexcept;

  instance_pool& pool_;
  unique_handle pipe_;
  unique_handle event_;
  OVERLAPPED overlapped_{};
  HANDLE registration_ = nullptr;
  bool connecting_ = false;
};

}  // namespace tp::platform
