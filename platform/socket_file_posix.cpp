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

std::unexpected<error> failed(int number, const std::string& path, const std::string& step) {
  return fail_with(operation::bind, number, step + " of " + quoted(path) + " failed");
}

std::unexpected<error> taken(const std::string& path, const std::string& how) {
  return fail_with(errc::name_in_use, operation::bind, 0, quoted(path) + " " + how);
}

std::optional<socket_address> address_in(const directory_handle& directory, const std::string& name) {
  return address_through(directory.fd.get(), "/" + name, join(directory.path, name));
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

// Younger than some headers; the number is the same on every machine but one.
#ifdef SYS_fchmodat2
constexpr long sys_fchmodat2 = SYS_fchmodat2;
#elif defined(__alpha__)
constexpr long sys_fchmodat2 = 562;
#else
constexpr long sys_fchmodat2 = 452;
#endif

// fchmodat2(2) came with Linux 6.6; before it, the way to an O_PATH descriptor's file is its name in /proc.
// What has its mode already needs neither.
int change_mode(int path_descriptor, mode_t mode) {
  struct stat info{};
  if (::fstat(path_descriptor, &info) == 0 && (info.st_mode & ~mode_t{S_IFMT}) == mode) return 0;
  if (::syscall(sys_fchmodat2, path_descriptor, "", mode, AT_EMPTY_PATH) == 0) return 0;
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

// Whether somebody answers there: 0, or ECONNREFUSED, or why that can't be found out.
int probe(const descriptor& path, const std::string& plain_path) {
  const descriptor socket = new_socket();
  if (!socket) return errno;
  const auto address = address_through(path.get(), {}, plain_path);
  return address ? connect_to(socket.get(), *address) : ENAMETOOLONG;
}

bool is_file(int directory, const std::string& name, dev_t device, ino_t inode) noexcept {
  struct stat now{};
  return ::fstatat(directory, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == device &&
         now.st_ino == inode;
}

std::unexpected<error> not_published(int number, const std::string& path,
                                     const backend::bind_request& request) {
  if (number != EPERM || request.access.who() != access_policy::audience::group)
    return failed(number, path, "publishing");
  return fail_with(errc::access_denied, operation::bind, number,
                   "this process may not give " + quoted(path) + " to group " +
                       std::to_string(request.access.ids().front()) + "; it has to be a member");
}

}  // namespace

void socket_file::remove() noexcept {
  if (!directory_) return;
  if (is_file(directory_.get(), name_, device_, inode_)) ::unlinkat(directory_.get(), name_.c_str(), 0);
  directory_.reset();
}

int socket_file::rename_to(const std::string& name) {
  if (::renameat2(directory_.get(), name_.c_str(), directory_.get(), name.c_str(), RENAME_NOREPLACE) != 0)
    return errno;
  name_ = name;
  return 0;
}

result<void> remove_stale(const directory_handle& directory, const std::string& name) {
  const std::string where = join(directory.path, name);
  const descriptor path(::openat(directory.fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!path && errno == ENOENT) return {};
  struct stat info{};
  if (!path || ::fstat(path.get(), &info) != 0) return failed(errno, where, "opening");
  if (!S_ISSOCK(info.st_mode))
    return fail(taken(where, "is no socket; it was left alone").error().in(circumstance::no_socket));
  if (info.st_uid != ::geteuid()) return taken(where, "belongs to uid " + std::to_string(info.st_uid));
  const int answer = probe(path, where);
  if (answer == 0 || answer == EAGAIN) return taken(where, "belongs to a server that takes no lock");
  if (answer != ECONNREFUSED) return failed(answer, where, "probing");
  if (is_file(directory.fd.get(), name, info.st_dev, info.st_ino) &&
      ::unlinkat(directory.fd.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return failed(errno, where, "removing the stale socket");
  return {};
}

result<listening_file> make_listening_file(directory_handle& directory, const std::string& name,
                                           const backend::bind_request& request) {
  const std::string where = join(directory.path, name);
  descriptor socket = new_socket();
  if (!socket) return failed(errno, where, "the socket");
  // The mode of the socket becomes that of the file, less the umask: narrow before the name exists.
  if (::fchmod(socket.get(), owner_only) != 0) return failed(errno, where, "the mode");
  std::string bound = name;
  if (const int number = bind_somewhere(socket.get(), directory, bound); number != 0)
    return failed(number, where, "binding");
  const int within = directory.fd.get();
  struct stat info{};
  if (::fstatat(within, bound.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return failed(errno, where, "examining");
  if (!S_ISSOCK(info.st_mode) || info.st_uid != ::geteuid())
    return fail_with(errc::untrusted_location, operation::bind, 0, quoted(where) + " was replaced");
  // From here on the file goes with whatever fails.
  socket_file file(std::move(directory.fd), bound, info.st_dev, info.st_ino);
  const descriptor path(::openat(within, bound.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat opened{};
  if (!path || ::fstat(path.get(), &opened) != 0) return failed(errno, where, "opening");
  if (opened.st_dev != info.st_dev || opened.st_ino != info.st_ino)
    return fail_with(errc::untrusted_location, operation::bind, 0, quoted(where) + " was replaced");
  if (const int number = publish(socket, path, request); number != 0)
    return not_published(number, where, request);
  if (bound != name) {
    if (const int number = file.rename_to(name); number != 0) return failed(number, where, "renaming");
  }
  return listening_file{std::move(socket), std::move(file)};
}

}  // namespace tp::platform
