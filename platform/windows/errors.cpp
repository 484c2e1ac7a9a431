// One table for the codes of GetLastError() (winerror.h), one for those of libuv (uv.h).
#include "windows/errors.hpp"

#include <uv.h>

#include <utility>

namespace tp::platform {

errc to_errc(int number) noexcept {
  switch (static_cast<DWORD>(number)) {
    case ERROR_SUCCESS:
      return errc::none;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return errc::not_found;
    case ERROR_ACCESS_DENIED:
      return errc::access_denied;
    case ERROR_PIPE_BUSY:
      return errc::busy;
    case ERROR_BROKEN_PIPE:  // the peer closed its handle; a read says 109, a write 232
    case ERROR_NO_DATA:
      return errc::broken_pipe;
    case ERROR_PIPE_NOT_CONNECTED:  // the server disconnected, which throws away what was unread
      return errc::connection_reset;
    case ERROR_OPERATION_ABORTED:
      return errc::cancelled;
    case ERROR_FILENAME_EXCED_RANGE:
      return errc::name_too_long;
    case ERROR_INVALID_NAME:
      return errc::invalid_name;
    case ERROR_BAD_IMPERSONATION_LEVEL:
    case ERROR_CANT_OPEN_ANONYMOUS:
    case ERROR_CANNOT_IMPERSONATE:
      return errc::impersonation_denied;
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
      return errc::no_resources;
    default:
      return errc::io_error;
  }
}

backend::status status_of_uv(int code) noexcept {
  switch (code) {
    case 0:
      return {};
    case UV_EOF:  // libuv's name for 109, for writes as well
    case UV_EPIPE:
      return {errc::broken_pipe, code};
    case UV_ECANCELED:
      return {errc::cancelled, code};
    case UV_ENOMEM:
    case UV_EMFILE:
      return {errc::no_resources, code};
    default:
      return {errc::io_error, code};
  }
}

std::unexpected<error> fail_last(operation what, std::string subject) {
  return fail_with(what, static_cast<int>(GetLastError()), std::move(subject));
}

}  // namespace tp::platform
