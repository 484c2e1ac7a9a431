// The file by which clients find a listening socket.
#pragma once

#include <sys/types.h>

#include <string>

#include "directory_posix.hpp"
#include "twinpipe/backend/names.hpp"

namespace tp::platform {

/// A name in a directory that is removed with the object, if it still is the file that was made.
class socket_file {
 public:
  socket_file(descriptor directory, std::string name, dev_t device, ino_t inode) noexcept
      : directory_(std::move(directory)), name_(std::move(name)), device_(device), inode_(inode) {}
  socket_file(socket_file&&) noexcept = default;
  socket_file& operator=(socket_file&&) = delete;
  ~socket_file() { remove(); }

  void remove() noexcept;
  /// Gives it its final name, unless somebody has that. 0 or an errno.
  [[nodiscard]] int rename_to(const std::string& name);

 private:
  descriptor directory_;  // empty: nothing to remove
  std::string name_;
  dev_t device_;
  ino_t inode_;
};

/// Removes what a dead server left: a socket of ours that refuses. Anything else is name_in_use, and stays.
[[nodiscard]] result<void> remove_stale(const directory_handle& directory, const std::string& name);

struct listening_file {
  descriptor socket;
  socket_file file;
};

/// Binds and listens. The name has its final owner and mode before anybody can connect, and never a wider
/// mode before.
[[nodiscard]] result<listening_file> make_listening_file(directory_handle& directory, const std::string& name,
                                                         const backend::bind_request& request);

}  // namespace tp::platform
