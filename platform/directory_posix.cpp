// What a directory's owner and mode say about the names in it.
#include "directory_posix.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "address_posix.hpp"
#include "peer_identity.hpp"
#include "twinpipe/escape.hpp"

namespace tp::platform {
namespace {

// Where this process's own number is the one of all unmapped users, a file with that number could be
// anybody's.
bool is_trusted_user(uid_t user) {
  return user == 0 || (user == ::geteuid() && is_known_user(user));
}

bool others_may_write(const struct stat& info, bool sticky_is_enough) noexcept {
  return (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !(sticky_is_enough && (info.st_mode & S_ISVTX) != 0);
}

// The real path of an open directory, for a message.
std::string path_of(const descriptor& directory) {
  const std::string link = path_of_descriptor(directory.get());
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length))
                    : std::string("a parent directory");
}

bool lets_in(const struct stat& info, const access_policy& access) noexcept {
  // path_resolution(7): exactly one class applies, so members of the directory's group don't get the rights
  // of others.
  if (access.who() == access_policy::audience::group && info.st_gid == access.ids().front())
    return (info.st_mode & S_IXGRP) != 0;
  return (info.st_mode & S_IXOTH) != 0;
}

int open_parent(const descriptor& directory, descriptor& parent, struct stat& info) {
  parent = descriptor(::openat(directory.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return parent && ::fstat(parent.get(), &info) == 0 ? 0 : errno;
}

}  // namespace

std::string join(const std::string& directory, const std::string& file) {
  return directory.ends_with('/') ? directory + file : directory + "/" + file;
}

bool same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::string quoted(const std::string& path) {
  return in_quotes(path, std::string::npos);
}

int open_directory(const std::string& path, bool follow, directory_handle& out) {
  out.path = path;
  out.fd = descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)));
  return out.fd && ::fstat(out.fd.get(), &out.info) == 0 ? 0 : errno;
}

std::string distrust(const directory_handle& directory, bool sticky_is_enough) {
  if (!is_trusted_user(directory.info.st_uid))
    return quoted(directory.path) + " belongs to uid " + std::to_string(directory.info.st_uid);
  if (others_may_write(directory.info, sticky_is_enough))
    return quoted(directory.path) + " can be written by others";
  return {};
}

std::string distrust_socket(const directory_handle& directory, const struct stat& socket) {
  if (is_trusted_user(socket.st_uid)) return {};
  std::string reason = distrust(directory, false);
  if (reason.empty()) return {};
  // A service's own directory, /run/service: as good as the directory that root made it in.
  if (directory.info.st_uid == socket.st_uid && !others_may_write(directory.info, false)) {
    directory_handle parent;
    if (open_parent(directory.fd, parent.fd, parent.info) == 0 && distrust(parent, false).empty()) return {};
  }
  return "it belongs to uid " + std::to_string(socket.st_uid) + " and " + reason;
}

std::string barrier(const directory_handle& directory, const access_policy& access) {
  if (access.who() == access_policy::audience::same_user) return {};
  if (!lets_in(directory.info, access)) return directory.path;
  descriptor current(::fcntl(directory.fd.get(), F_DUPFD_CLOEXEC, 0));
  struct stat info = directory.info;
  for (;;) {
    descriptor parent;
    struct stat above{};
    // What we can't look into ourselves is for the clients to find out.
    if (!current || open_parent(current, parent, above) != 0 || same_file(above, info)) return {};
    if (!lets_in(above, access)) return path_of(parent);
    current = std::move(parent);
    info = above;
  }
}

}  // namespace tp::platform
