// Peer credentials of Linux: unix(7), SO_PEERCRED, SO_PEERGROUPS and SO_PEERPIDFD.
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <limits>

#include "descriptor.hpp"
#include "peer_identity.hpp"
#include "vectored_posix.hpp"

namespace tp::platform {
namespace {

constexpr int so_peergroups = 59;  // asm-generic/socket.h, Linux 4.13
constexpr int so_peerpidfd = 77;   // Linux 6.5

/// A pidfd: readable once the process has ended, pidfd_open(2).
class pidfd_handle final : public process_handle {
 public:
  explicit pidfd_handle(descriptor pidfd) noexcept : pidfd_(std::move(pidfd)) {}
  bool exited() const noexcept override { return is_readable(pidfd_.get()); }

 private:
  descriptor pidfd_;
};

// The number that stands for every user or group which this user namespace doesn't map, user_namespaces(7).
std::uint32_t read_overflow(const char* file_name) {
  std::uint32_t number = 65534;
  if (std::ifstream file(file_name); file) file >> number;
  return number;
}

// A namespace that maps all numbers has no unmapped ones: there the overflow number is somebody, and
// elsewhere nobody knows who. Read at each question, which is rare: a process may enter a namespace after its
// start. Unreadable counts as partial.
bool maps_everything(const char* map_file) {
  std::uint64_t inside = 1, outside = 1, count = 0;
  if (std::ifstream file(map_file); file) file >> inside >> outside >> count;
  return inside == 0 && count >= std::numeric_limits<std::uint32_t>::max();
}

fact<std::uint32_t> user(std::uint32_t id) {
  static const std::uint32_t overflow = read_overflow("/proc/sys/kernel/overflowuid");
  if (id == overflow && !maps_everything("/proc/self/uid_map")) return {};
  return {id, trust::authoritative};
}

fact<std::uint32_t> group(std::uint32_t id) {
  static const std::uint32_t overflow = read_overflow("/proc/sys/kernel/overflowgid");
  if (id == overflow && !maps_everything("/proc/self/gid_map")) return {};
  return {id, trust::authoritative};
}

// One that is unknown makes the list unknown: acting with the others only could be acting with more.
fact<std::vector<std::uint32_t>> group_list(std::vector<std::uint32_t> list) {
  if (!std::ranges::all_of(list, [](std::uint32_t id) { return group(id).known(); })) return {};
  return {std::move(list), trust::authoritative};
}

// Most have few; with ERANGE, `size` has become what is needed.
fact<std::vector<std::uint32_t>> peer_groups(int socket) {
  std::array<gid_t, 32> few;
  socklen_t size = sizeof few;
  if (::getsockopt(socket, SOL_SOCKET, so_peergroups, few.data(), &size) == 0)
    return group_list({few.begin(), few.begin() + size / sizeof(gid_t)});
  std::vector<std::uint32_t> list;
  while (errno == ERANGE) {
    list.resize(size / sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, so_peergroups, list.data(), &size) != 0) continue;
    list.resize(size / sizeof(gid_t));
    return group_list(std::move(list));
  }
  return {};
}

std::shared_ptr<const process_handle> peer_process(int socket) {
  int number = -1;
  socklen_t size = sizeof number;
  // Older kernels don't know the option, or the process has been reaped already: then there is no handle.
  if (::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &number, &size) != 0 || number < 0) return nullptr;
  return std::make_shared<pidfd_handle>(descriptor(number));
}

}  // namespace

// Alive now, it has had its number since its birth, and it was born before it first came this way, hence
// before this connection: a listening socket hands out its connections in their order, and tells of whoever
// called listen(2) last. A number alone would prove nothing: its process may have died in the backlog.
std::shared_ptr<const process_handle> known_process::find(std::uint32_t pid) noexcept {
  if (pid != pid_ || handle_ == nullptr) return nullptr;
  if (handle_->exited()) handle_ = nullptr;
  return handle_;
}

void known_process::remember(std::uint32_t pid, std::shared_ptr<const process_handle> handle) noexcept {
  pid_ = pid;
  handle_ = std::move(handle);
}

identity peer_identity(int socket) {
  known_process nobody;
  return peer_identity(socket, nobody);
}

identity peer_identity(int socket, known_process& source) {
  identity peer;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return peer;
  peer.uid = user(credentials.uid);
  peer.gid = group(credentials.gid);
  peer.groups = peer_groups(socket);
  // 0: a process that our pid namespace does not show
  const auto pid = static_cast<std::uint32_t>(std::max(credentials.pid, 0));
  if (pid > 0) peer.pid = {pid, trust::advisory};
  peer.process = source.find(pid);
  if (peer.process == nullptr) {
    peer.process = peer_process(socket);
    if (pid > 0) source.remember(pid, peer.process);
  }
  return peer;
}

identity own_identity() {
  identity self;
  self.uid = user(::geteuid());
  self.gid = group(::getegid());
  const int count = ::getgroups(0, nullptr);
  std::vector<std::uint32_t> list(static_cast<std::size_t>(std::max(count, 0)));
  const int got = ::getgroups(static_cast<int>(list.size()), list.data());
  list.resize(static_cast<std::size_t>(std::max(got, 0)));
  self.groups = group_list(std::move(list));
  self.pid = {static_cast<std::uint32_t>(::getpid()), trust::advisory};
  return self;
}

bool is_known_user(std::uint32_t uid) {
  return user(uid).known();
}

bool has_exit_handles() {
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return false;
  const descriptor one(pair[0]), other(pair[1]);
  return peer_process(one.get()) != nullptr;
}

}  // namespace tp::platform
