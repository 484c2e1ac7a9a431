// Files as far as impersonation needs them: read with the rights the thread has at that moment.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "twinpipe/backend/files.hpp"
#include "twinpipe/error.hpp"

namespace tp {

/// An open directory that reads can be confined to. A copyable handle.
class directory {
 public:
  directory(backend::files& files, std::shared_ptr<backend::directory> handle) noexcept
      : files_(&files), handle_(std::move(handle)) {}

  /// The whole regular file at `path` below this directory: the path can't leave it, by `..`, by being
  /// absolute or by a symbolic link (Linux: openat2(2), RESOLVE_BENEATH). Blocks the thread; may be used
  /// inside run_as_client, and the file's permissions then count for the client. The text is the file's
  /// bytes. Errors: not_found; access_denied (also for a path that would leave); file_too_large;
  /// invalid_argument (not a regular file, or a NUL in the path); name_too_long; not_supported (Linux before
  /// 5.6 or without /proc; Windows); no_resources; io_error.
  [[nodiscard]] result<std::string> read(std::string_view path, std::size_t max_bytes) const {
    return files_->read(handle_.get(), path, max_bytes);
  }

 private:
  backend::files* files_;
  std::shared_ptr<backend::directory> handle_;
};

/// From runtime::files() or process::files().
class files {
 public:
  explicit files(backend::files& twin) noexcept : twin_(&twin) {}

  /// As directory::read, with any path and no confinement.
  [[nodiscard]] result<std::string> read(std::string_view path, std::size_t max_bytes) const {
    return twin_->read(nullptr, path, max_bytes);
  }
  /// Errors: not_found (also for what isn't a directory), access_denied, invalid_argument (a NUL in the
  /// path), name_too_long, not_supported (Windows), no_resources, io_error.
  [[nodiscard]] result<directory> open_directory(std::string_view path) const {
    auto opened = twin_->open_directory(path);
    if (!opened) return fail(opened);
    return directory(*twin_, std::move(*opened));
  }

 private:
  backend::files* twin_;
};

}  // namespace tp
