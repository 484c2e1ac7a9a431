// Making and removing socket files. The order of the calls is the point; each step says what it prevents.
#include "socket_file_posix.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "address_posix.hpp"
#include "errors_posix.hpp"

namespace tp::platform {
namespace {

constexpr mode_t owner_only = 0600;
constexpr mode_t owner_and_group = 0660;
constexpr mode_t everyone = 0666;
constexpr int tries_for_a_free_name = 16;

mode_t mode_for(access_policy::audience audience) noexcept {
  switch (audience) {
    case access_policy::audience::same_user:
      return owner_only;
    case access_policy::audience::group:
      return owner_and_group;
    default:
      return everyone;
  }
}

std::string quoted(const directory_handle& directory, const std::string& name) {
  return "'" + directory.path + "/" + name + "'";
}

std::unexpected<error> failed(int number, const directory_handle& directory, const std::string& name,
                              const std::string& step) {
  return fail_with(operation::bind, number, step + " of " + quoted(directory, name) + " failed");
}

std::unexpected<error> taken(const directory_handle& directory, const std::string& name,
                             const std::string& how) {
  return fail_with(errc::name_in_use, operation::bind, 0, quoted(directory, name) + " " + how);
}

descriptor new_socket() {
  return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// The path under which the kernel is to bind: through the open directory, so that its length doesn't matter
// and nobody can put another in its place. Without /proc the plain path has to do.
std::optional<socket_address> address_in(const directory_handle& directory, const std::string& name) {
  const std::string through = path_of_descriptor(directory.fd.get());
  if (::access(through.c_str(), F_OK) == 0) return address_of_path(through + "/" + name);
  return address_of_path(directory.path + "/" + name);
}

std::string passing_name() {
  static std::atomic<unsigned> counter = 0;
  return ".tp" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

// A name that is too long for an address, however short the way to its directory, is bound as another and
// renamed later.
int bind_somewhere(int socket, const directory_handle& directory, std::string& name) {
  std::optional<socket_address> address = address_in(directory, name);
  const bool direct = address.has_value();
  for (int i = 0; i < tries_for_a_free_name; ++i) {
    if (!direct) {
      name = passing_name();
      address = address_in(directory, name);
      if (!address) return ENAMETOOLONG;
    }
    if (::bind(socket, address->get(), address->size) == 0) return 0;
    if (direct || errno != EADDRINUSE) return errno;
  }
  return EADDRINUSE;
}

// fchmodat2(2) came with Linux 6.6; before it, the way to an O_PATH descriptor's file is its name in /proc.
int change_mode(int path_descriptor, mode_t mode) {
#ifdef SYS_fchmodat2
  if (::syscall(SYS_fchmodat2, path_descriptor, "", mode, AT_EMPTY_PATH) == 0) return 0;
#endif
  return ::chmod(path_of_descriptor(path_descriptor).c_str(), mode) == 0 ? 0 : errno;
}

// Owner first: the file must never be wide for the wrong group.
int give_access(int path_descriptor, const backend::bind_request& request) {
  const access_policy& access = request.access;
  if (access.who() == access_policy::audience::group &&
      ::fchownat(path_descriptor, "", static_cast<uid_t>(-1), access.ids().front(), AT_EMPTY_PATH) != 0)
    return errno;
  return change_mode(path_descriptor, mode_for(access.who()));
}

int publish(const descriptor& socket, const descriptor& path, const backend::bind_request& request) {
  if (const int number = give_access(path.get(), request); number != 0) return number;
  return ::listen(socket.get(), request.backlog) == 0 ? 0 : errno;
}

bool refuses(const descriptor& path) {
  const descriptor probe = new_socket();
  const auto address = address_of_path(path_of_descriptor(path.get()));
  return probe && address && connect_to(probe.get(), *address) == ECONNREFUSED;
}

}  // namespace

void socket_file::remove() noexcept {
  if (!directory_) return;
  struct stat now{};
  if (::fstatat(directory_.get(), name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == device_ &&
      now.st_ino == inode_)
    ::unlinkat(directory_.get(), name_.c_str(), 0);
  directory_.reset();
}

int socket_file::rename_to(const std::string& name) {
  if (::renameat2(directory_.get(), name_.c_str(), directory_.get(), name.c_str(), RENAME_NOREPLACE) != 0)
    return errno;
  name_ = name;
  return 0;
}

result<void> remove_stale(const directory_handle& directory, const std::string& name) {
  const descriptor path(::openat(directory.fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!path && errno == ENOENT) return {};
  struct stat info{};
  if (!path || ::fstat(path.get(), &info) != 0) return failed(errno, directory, name, "opening");
  if (!S_ISSOCK(info.st_mode)) return taken(directory, name, "exists and is no socket; it was left alone");
  if (info.st_uid != ::geteuid())
    return taken(directory, name, "belongs to uid " + std::to_string(info.st_uid));
  if (!refuses(path)) return taken(directory, name, "belongs to a server that takes no lock");
  socket_file left_over(descriptor(::fcntl(directory.fd.get(), F_DUPFD_CLOEXEC, 0)), name, info.st_dev,
                        info.st_ino);
  return {};
}

result<listening_file> make_listening_file(directory_handle& directory, const std::string& name,
                                           const backend::bind_request& request) {
  descriptor socket = new_socket();
  if (!socket) return failed(errno, directory, name, "the socket");
  // The mode of the socket becomes that of the file, less the umask: narrow before the name exists.
  if (::fchmod(socket.get(), owner_only) != 0) return failed(errno, directory, name, "the mode");
  std::string bound = name;
  if (const int number = bind_somewhere(socket.get(), directory, bound); number != 0)
    return failed(number, directory, name, "binding");
  const descriptor path(::openat(directory.fd.get(), bound.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!path || ::fstat(path.get(), &info) != 0) return failed(errno, directory, name, "opening");
  if (!S_ISSOCK(info.st_mode) || info.st_uid != ::geteuid())
    return fail_with(errc::untrusted_location, operation::bind, 0,
                     quoted(directory, bound) + " was replaced");
  socket_file file(std::move(directory.fd), bound, info.st_dev, info.st_ino);
  if (const int number = publish(socket, path, request); number == EPERM)
    return fail_with(errc::access_denied, operation::bind, number,
                     "this process may not give " + quoted(directory, name) + " to group " +
                         std::to_string(request.access.ids().front()) + "; it has to be a member");
  else if (number != 0)
    return failed(number, directory, name, "publishing");
  if (bound != name) {
    if (const int number = file.rename_to(name); number != 0)
      return failed(number, directory, name, "renaming");
  }
  return listening_file{std::move(socket), std::move(file)};
}

}  // namespace tp::platform
