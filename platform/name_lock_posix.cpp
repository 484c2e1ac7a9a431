// Lock files: flock(2), so that the lock ends with its process, however that ends.
#include "name_lock_posix.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>

#include "errors_posix.hpp"

namespace tp::platform {
namespace {

constexpr int tries = 16;

std::unexpected<error> denied(errc code, int number, const std::string& path, const std::string& why) {
  return fail_with(code, operation::bind, number, "the lock file " + quoted(path) + " " + why);
}

// A file that we may lock and write to: made by us, a plain one, and no second name of another file of ours.
std::string wrong_with(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return "is not a regular file";
  if (info.st_uid != ::geteuid()) return "belongs to uid " + std::to_string(info.st_uid);
  return info.st_nlink > 1 ? "has a second name" : "";
}

// The holder writes its number into the file; a hint for people, nothing more. 0: unknown.
long number_of_holder(const descriptor& lock) {
  std::array<char, 16> text{};
  const ssize_t got = ::pread(lock.get(), text.data(), text.size() - 1, 0);
  long number = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, number);
  return number;
}

std::string holder_of(long number) {
  if (number <= 0) return "another process";
  const std::string holder = "process " + std::to_string(number);
  if (::kill(static_cast<pid_t>(number), 0) == 0 || errno != ESRCH) return holder;
  return holder + ", which is gone: a child that it forked and that never called exec holds it still";
}

// Whether another descriptor of this process is the same file. Equal numbers alone say nothing where
// processes of several containers share a directory.
bool is_open_twice(const descriptor& file, const struct stat& info) {
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("/proc/self/fd"), &::closedir);
  if (!all) return false;
  // By name and not by number: another thread may be opening or closing what a number stands for.
  const std::string self = std::to_string(file.get());
  while (const dirent* entry = ::readdir(all.get())) {
    struct stat other{};
    if (entry->d_name != self && ::fstatat(::dirfd(all.get()), entry->d_name, &other, 0) == 0 &&
        same_file(info, other))
      return true;
  }
  return false;
}

std::unexpected<error> held(const std::string& path, const descriptor& lock, const struct stat& info) {
  const long number = number_of_holder(lock);
  const bool here = number == ::getpid() && is_open_twice(lock, info);
  const error who(errc::name_in_use, operation::bind, EWOULDBLOCK,
                  make_text(quoted(path) + " is held by " + holder_of(number)));
  return fail(here ? who.in(circumstance::own_process) : who);
}

void sign(const descriptor& lock) {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) == 0) [[maybe_unused]]
    const ssize_t ignored = ::pwrite(lock.get(), text.data(), text.size(), 0);
}

int lock_now(const descriptor& file) noexcept {
  int number;
  do {
    number = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  } while (number == EINTR);
  return number;
}

}  // namespace

result<descriptor> take_name_lock(const directory_handle& directory, const std::string& file) {
  const std::string name = file + ".lock";
  const std::string path = join(directory.path, name);
  for (int i = 0; i < tries; ++i) {
    descriptor lock(::openat(directory.fd.get(), name.c_str(),
                             O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
    if (!lock && (errno == ELOOP || errno == ENXIO || errno == EISDIR))
      return denied(errc::untrusted_location, errno, path, "is not a regular file");
    if (!lock) return denied(to_errc(errno), errno, path, "cannot be opened");
    struct stat opened{}, named{};
    if (::fstat(lock.get(), &opened) != 0) return denied(to_errc(errno), errno, path, "cannot be examined");
    if (const std::string wrong = wrong_with(opened); !wrong.empty())
      return denied(errc::untrusted_location, 0, path, wrong);
    if (const int number = lock_now(lock); number == EWOULDBLOCK)
      return held(join(directory.path, file), lock, opened);
    else if (number != 0)
      return denied(to_errc(number), number, path, "cannot be locked");
    // Somebody may have removed the file between the opening and the locking; then the lock is one on
    // nothing.
    if (::fstatat(directory.fd.get(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) {
      sign(lock);
      return lock;
    }
  }
  return denied(errc::name_in_use, 0, path, "is being replaced by somebody");
}

}  // namespace tp::platform
