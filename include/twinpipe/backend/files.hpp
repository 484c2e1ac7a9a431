// The few file operations that impersonation is about.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "twinpipe/error.hpp"

namespace tp::backend {

/// An open directory; closing is its destruction.
class directory {
 public:
  virtual ~directory() = default;
};

/// Synchronous, on the calling thread, with the rights that this thread has at the moment.
class files {
 public:
  virtual ~files() = default;
  /// Errors: not_found (also for what isn't a directory), access_denied, invalid_argument (a NUL in the
  /// path), name_too_long, not_supported, no_resources, io_error; the subject is the path.
  [[nodiscard]] virtual result<std::shared_ptr<directory>> open_directory(std::string_view path) = 0;
  /// The whole of a regular file. With `beneath` the path is relative to it and cannot leave it, by `..`, by
  /// an absolute path or by a symbolic link (openat2(2), RESOLVE_BENEATH). Errors: not_found, access_denied
  /// (also for a path that leaves), file_too_large (more than `max_bytes`), invalid_argument (not a regular
  /// file, a NUL in the path, or no directory of this twin), name_too_long, not_supported, no_resources,
  /// io_error; the subject is the path.
  [[nodiscard]] virtual result<std::string> read(directory* beneath, std::string_view path,
                                                 std::size_t max_bytes) = 0;
};

}  // namespace tp::backend
