// Files on Linux. openat2(2) keeps a path inside its directory.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <stdexcept>

#include "address_posix.hpp"
#include "descriptor.hpp"
#include "errors_posix.hpp"
#include "files.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/escape.hpp"

namespace tp::platform {
namespace {

constexpr std::size_t least_read = 4096;
// What a file claims as its size costs nothing; memory grows with what was read.
constexpr std::size_t longest_guess = std::size_t{1} << 20;
constexpr int tries_against_renames = 32;
// If what was found is replaced in between, opening a FIFO, or a terminal, neither waits nor has an effect.
constexpr int reading = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
// Opens nothing yet: a device's open may already do something.
constexpr int finding = O_PATH | O_CLOEXEC;

class open_dir final : public backend::directory {
 public:
  explicit open_dir(descriptor opened) noexcept : fd(std::move(opened)) {}
  descriptor fd;
};
static_assert(backend::implements<open_dir, backend::directory>);

std::unexpected<error> failed(operation what, errc code, int number, std::string_view path) {
  return fail_with(code, what, number, escape(path, std::numeric_limits<std::size_t>::max()));
}
std::unexpected<error> failed(operation what, int number, std::string_view path) {
  return failed(what, to_errc(number), number, path);
}

bool has_nul(std::string_view path) {
  return path.find('\0') != std::string_view::npos;
}

// EAGAIN: a rename happened while the kernel followed a `..`, and it can't tell whether the path has left.
descriptor open_beneath(const descriptor& directory, const std::string& path) {
  open_how how{};
  how.flags = finding;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long got = -1;
  for (int i = 0; i < tries_against_renames && got < 0; ++i) {
    got = ::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how);
    if (got < 0 && errno != EAGAIN && errno != EINTR) break;
  }
  return descriptor(static_cast<int>(got));
}

descriptor find(const open_dir* within, const std::string& path) {
  return within != nullptr ? open_beneath(within->fd, path) : descriptor(::open(path.c_str(), finding));
}

// 0 or an errno; EINVAL for what isn't a regular file.
int open_found(const descriptor& found, descriptor& file, struct stat& info) {
  if (::fstat(found.get(), &info) != 0) return errno;
  if (!S_ISREG(info.st_mode)) return EINVAL;
  file = descriptor(::open(path_of_descriptor(found.get()).c_str(), reading));
  if (!file) return errno == ENOENT ? ENOSYS : errno;  // only without /proc
  return ::fstat(file.get(), &info) == 0 ? 0 : errno;
}

// 0 or an errno, EFBIG for more than `most`.
int read_all(const descriptor& file, std::size_t most, std::size_t expected, std::string& out) try {
  std::size_t filled = 0;
  // One byte more than the limit shows that there is more; the size is a guess, which a growing file or /proc
  // belies.
  out.resize(std::min(std::clamp(expected, least_read, longest_guess), most) + 1);
  for (;;) {
    const ssize_t got = ::read(file.get(), out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    filled += static_cast<std::size_t>(got);
    if (filled > most) return EFBIG;
    if (got == 0) break;
    if (filled == out.size()) out.resize(std::min(filled, most - filled) + filled + 1);
  }
  out.resize(filled);
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
} catch (const std::length_error&) {
  return ENOMEM;
}

class linux_files final : public backend::files {
 public:
  result<std::shared_ptr<backend::directory>> open_directory(std::string_view path) override {
    if (has_nul(path)) return failed(operation::open_directory, errc::invalid_argument, 0, path);
    descriptor opened(::open(std::string(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return failed(operation::open_directory, errno, path);
    return std::make_shared<open_dir>(std::move(opened));
  }

  result<std::string> read(backend::directory* beneath, std::string_view path,
                           std::size_t max_bytes) override {
    const auto* within = dynamic_cast<open_dir*>(beneath);
    if (has_nul(path) || (beneath != nullptr && within == nullptr))
      return failed(operation::read_file, errc::invalid_argument, 0, path);
    const descriptor found = find(within, std::string(path));
    if (!found) return failed(operation::read_file, errno == EAGAIN ? EIO : errno, path);
    descriptor file;
    struct stat info{};
    if (const int number = open_found(found, file, info); number != 0)
      return failed(operation::read_file, number == EAGAIN ? EIO : number, path);
    const auto size = static_cast<std::size_t>(std::max<off_t>(info.st_size, 0));
    if (size > max_bytes) return failed(operation::read_file, errc::file_too_large, 0, path);
    std::string content;
    if (const int number = read_all(file, max_bytes, size, content); number != 0)
      return failed(operation::read_file, number == EAGAIN ? EIO : number, path);
    return content;
  }
};
static_assert(backend::implements<linux_files, backend::files>);

}  // namespace

std::unique_ptr<backend::files> make_files() {
  return std::make_unique<linux_files>();
}

}  // namespace tp::platform
