// Users of one thread by raw system calls; the wrappers of the C library would change all threads (nptl(7)).
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/real_user.hpp"

namespace tp::test {
namespace {

void must(bool worked, const char* what) {
  if (worked) return;
  std::perror(what);
  std::abort();
}

}  // namespace

real_user this_user() {
  return {::geteuid(), ::getegid(), {}};
}

void become(const real_user& user) {
  if (user.uid == ::geteuid()) return;
  constexpr long unchanged = -1;
  must(::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0, "setgroups");
  must(::syscall(SYS_setresgid, unchanged, user.gid, unchanged) == 0, "setresgid");
  must(::syscall(SYS_setresuid, unchanged, user.uid, unchanged) == 0, "setresuid");
}

std::string make_private_directory() {
  std::string path = std::filesystem::temp_directory_path() / "twinpipe-test-XXXXXX";
  must(::mkdtemp(path.data()) != nullptr, "mkdtemp");
  must(::chmod(path.c_str(), 0755) == 0, "chmod");
  return path;
}

void make_directory(const std::string& path, const real_user& owner, unsigned mode) {
  const std::string above = path.substr(0, path.rfind('/'));
  if (::access(above.c_str(), F_OK) != 0) make_directory(above, owner, 0755);
  must(::mkdir(path.c_str(), mode) == 0, "mkdir");
  must(::chmod(path.c_str(), mode) == 0, "chmod");
  must(::chown(path.c_str(), owner.uid, owner.gid) == 0, "chown");
}

void make_file(const std::string& path, const std::string& contents, std::uint32_t uid, std::uint32_t gid,
               unsigned mode) {
  std::ofstream(path) << contents;
  must(::chown(path.c_str(), uid, gid) == 0, "chown");
  must(::chmod(path.c_str(), mode) == 0, "chmod");
}

void remove_directory(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::size_t socket_capacity() {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int bytes = 0;
  socklen_t size = sizeof bytes;
  must(socket >= 0 && ::getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, &size) == 0, "SO_SNDBUF");
  ::close(socket);
  return static_cast<std::size_t>(bytes);
}

std::size_t count_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace tp::test
