// ReadFile and WriteFile with an event of their own.
#include "windows/overlapped_io.hpp"

#include <algorithm>

namespace tp::platform {
namespace {

DWORD length(std::size_t size) noexcept {
  return static_cast<DWORD>(std::min<std::size_t>(size, 1u << 30));
}

}  // namespace

DWORD overlapped_io::prepare() noexcept {
  if (!event_) event_ = unique_handle(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!event_) return GetLastError();
  overlapped_ = {};
  overlapped_.hEvent = event_.get();
  return ERROR_SUCCESS;
}

overlapped_io::answer overlapped_io::read(HANDLE pipe, std::span<std::byte> into) noexcept {
  if (const DWORD cause = prepare(); cause != ERROR_SUCCESS) return {cause};
  return submitted(pipe, ReadFile(pipe, into.data(), length(into.size()), nullptr, &overlapped_));
}

overlapped_io::answer overlapped_io::write(HANDLE pipe, std::span<const std::byte> from) noexcept {
  if (const DWORD cause = prepare(); cause != ERROR_SUCCESS) return {cause};
  return submitted(pipe, WriteFile(pipe, from.data(), length(from.size()), nullptr, &overlapped_));
}

overlapped_io::answer overlapped_io::submitted(HANDLE pipe, BOOL at_once) noexcept {
  if (at_once) return outcome(pipe, FALSE);
  if (const DWORD cause = GetLastError(); cause != ERROR_IO_PENDING) return {cause};
  const DWORD cause = wait_.arm(event_.get());
  if (cause == ERROR_SUCCESS) return {ERROR_IO_PENDING};
  const answer ended = abort(pipe);
  return ended.cause == ERROR_OPERATION_ABORTED ? answer{cause} : ended;
}

overlapped_io::answer overlapped_io::outcome(HANDLE pipe, BOOL wait) noexcept {
  DWORD n = 0;
  if (GetOverlappedResult(pipe, &overlapped_, &n, wait)) return {ERROR_SUCCESS, n};
  return {GetLastError(), n};
}

overlapped_io::answer overlapped_io::collect(HANDLE pipe) noexcept {
  wait_.disarm();
  return outcome(pipe, FALSE);
}

overlapped_io::answer overlapped_io::abort(HANDLE pipe) noexcept {
  wait_.disarm();
  CancelIoEx(pipe, &overlapped_);  // finds nothing if the transfer has ended
  return outcome(pipe, TRUE);
}

}  // namespace tp::platform
