// errno in the words of the seam: one table for every call of this twin.
#include "errors_posix.hpp"

#include <cerrno>
#include <system_error>

namespace tp::platform {

errc to_errc(int number) noexcept {
  switch (number) {
    case 0:
      return errc::none;
    case EAGAIN:  // unix(7): only a connect to a full backlog lets it get here
      return errc::busy;
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV:  // openat2(2): the path leaves the directory
    case ELOOP:  // openat2(2): the path goes through a forbidden link
      return errc::access_denied;
    case EADDRINUSE:
    case EEXIST:
      return errc::name_in_use;
    case ENAMETOOLONG:
      return errc::name_too_long;
    case EPIPE:
      return errc::broken_pipe;
    case ECONNRESET:
      return errc::connection_reset;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EDQUOT:
      return errc::no_resources;
    case EINVAL:
    case EISDIR:
    case ENXIO:  // open(2): a socket, or a device without a driver
      return errc::invalid_argument;
    case ENOSYS:
    case EOPNOTSUPP:
      return errc::not_supported;
    case EFBIG:
    case EOVERFLOW:
      return errc::file_too_large;
    default:
      return errc::io_error;
  }
}

// uv.h: on Unix UV__ERR(x) is -x.
backend::status status_of_uv(int code) noexcept {
  return to_status(-code);
}

std::string describe(int number) {
  return std::generic_category().message(number);
}

}  // namespace tp::platform
