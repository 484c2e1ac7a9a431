// Directories in which names stand: opened once, so that what is checked is what is used.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "descriptor.hpp"
#include "twinpipe/options.hpp"

namespace tp::platform {

struct directory_handle {
  descriptor fd;  // O_PATH
  struct stat info{};
  std::string path;
};

/// The path of a file in a directory.
[[nodiscard]] std::string join(const std::string& directory, const std::string& file);
[[nodiscard]] bool same_file(const struct stat& a, const struct stat& b) noexcept;
/// In quotation marks and escaped, whole, for a message.
[[nodiscard]] std::string quoted(const std::string& path);

/// 0 or an errno. `follow`: whether the last component may be a symbolic link.
[[nodiscard]] int open_directory(const std::string& path, bool follow, directory_handle& out);

/// A directory is trusted when only the calling user and root can replace what is in it. Otherwise the
/// reason, in words that name the directory; empty: trusted. `sticky`: nobody can replace what is another's,
/// and that is enough.
[[nodiscard]] std::string distrust(const directory_handle& directory, bool sticky_is_enough);

/// Whether a socket with this owner in this directory was put there by somebody we may believe: us, root, or
/// whoever was given the directory by a trusted one. Empty, or the reason.
[[nodiscard]] std::string distrust_socket(const directory_handle& directory, const struct stat& socket);

/// The first directory, from here up to the root, that keeps out whom the policy admits; empty: none does.
[[nodiscard]] std::string barrier(const directory_handle& directory, const access_policy& access);

}  // namespace tp::platform
