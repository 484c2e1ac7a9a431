// CreateNamedPipe, ConnectNamedPipe, and the wait for a client on the system's wait threads.
#include "windows/pipe_instance.hpp"

#include <utility>

#include "windows/instance_pool.hpp"

namespace tp::platform {
namespace {

// What the kernel keeps for a reader. It is charged to the process's pool only while bytes are in it ("Named
// Pipe Operations").
constexpr DWORD kernel_buffer = 65536;

}  // namespace

pipe_instance::~pipe_instance() {
  // The kernel writes into overlapped_ until the wait for a client is over.
  if (connecting_ && CancelIoEx(pipe_.get(), &overlapped_)) {
    DWORD n = 0;
    GetOverlappedResult(pipe_.get(), &overlapped_, &n, TRUE);
  }
  disarm();
}

DWORD pipe_instance::create(const recipe& how) noexcept {
  SECURITY_ATTRIBUTES attributes{sizeof attributes, how.security, FALSE};
  pipe_ = unique_handle(
      CreateNamedPipeW(how.name.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | how.first_flag,
                       PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                       how.kernel_limit, kernel_buffer, kernel_buffer, 0, &attributes));
  if (!pipe_) return GetLastError();
  event_ = unique_handle(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  return event_ ? ERROR_SUCCESS : GetLastError();
}

DWORD pipe_instance::listen() noexcept {
  overlapped_.hEvent = event_.get();
  if (ConnectNamedPipe(pipe_.get(), &overlapped_)) return ERROR_SUCCESS;
  switch (const DWORD cause = GetLastError()) {
    case ERROR_IO_PENDING:
      break;
    // A client came between CreateNamedPipe and here; it may have left again, and its bytes are still to be
    // read.
    case ERROR_PIPE_CONNECTED:
    case ERROR_NO_DATA:
      return ERROR_SUCCESS;
    default:
      return cause;
  }
  connecting_ = true;
  if (RegisterWaitForSingleObject(&registration_, event_.get(), fired, this, INFINITE, WT_EXECUTEONLYONCE)) {
    return ERROR_IO_PENDING;
  }
  registration_ = nullptr;
  return GetLastError();
}

unique_handle pipe_instance::take() noexcept {
  disarm();
  connecting_ = false;
  return std::move(pipe_);
}

void pipe_instance::disarm() noexcept {
  // INVALID_HANDLE_VALUE waits for a callback that has begun (UnregisterWaitEx, "Remarks").
  if (HANDLE registration = std::exchange(registration_, nullptr)) {
    UnregisterWaitEx(registration, INVALID_HANDLE_VALUE);
  }
}

void CALLBACK pipe_instance::fired(void* self, BOOLEAN) noexcept {
  auto* instance = static_cast<pipe_instance*>(self);
  instance->pool_.reached(instance);
}

}  // namespace tp::platform
