// Raw credential calls. On the 32-bit machines that have two of each, the one with 32-bit numbers.
#include "thread_credentials_linux.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tp::platform {
namespace {

#ifdef SYS_setresuid32
constexpr long sys_setresuid = SYS_setresuid32, sys_setresgid = SYS_setresgid32,
               sys_setgroups = SYS_setgroups32, sys_getresuid = SYS_getresuid32,
               sys_getresgid = SYS_getresgid32, sys_getgroups = SYS_getgroups32;
#else
constexpr long sys_setresuid = SYS_setresuid, sys_setresgid = SYS_setresgid, sys_setgroups = SYS_setgroups,
               sys_getresuid = SYS_getresuid, sys_getresgid = SYS_getresgid, sys_getgroups = SYS_getgroups;
#endif

constexpr std::uint32_t unchanged = static_cast<std::uint32_t>(-1);

template <class... Arguments>
int call(long number, Arguments... arguments) noexcept {
  return ::syscall(number, arguments...) == 0 ? 0 : errno;
}

__user_cap_header_struct header() noexcept {
  return {_LINUX_CAPABILITY_VERSION_3, 0};
}

std::optional<id_triple> read_ids(long number) noexcept {
  id_triple ids;
  if (call(number, &ids.real, &ids.effective, &ids.saved) != 0) return {};
  return ids;
}

}  // namespace

bool capability_sets::effective(unsigned capability) const noexcept {
  return (words[capability / 32].effective >> (capability % 32) & 1U) != 0;
}

bool capability_sets::any_effective() const noexcept {
  return std::ranges::any_of(words, [](const auto& word) { return word.effective != 0; });
}

void capability_sets::clear_effective() noexcept {
  for (auto& word : words) word.effective = 0;
}

bool operator==(const capability_sets& a, const capability_sets& b) noexcept {
  return std::ranges::equal(a.words, b.words, [](const auto& x, const auto& y) {
    return x.effective == y.effective && x.permitted == y.permitted && x.inheritable == y.inheritable;
  });
}

std::optional<thread_credentials> read_credentials() {
  const auto users = user_ids(), groups = group_ids();
  const auto capabilities = read_capabilities();
  auto supplementary = supplementary_groups();
  if (!users || !groups || !capabilities || !supplementary) return {};
  return thread_credentials{thread_id(), *users, *groups, std::move(*supplementary), *capabilities};
}

pid_t thread_id() noexcept {
  return static_cast<pid_t>(::syscall(SYS_gettid));
}
std::optional<id_triple> user_ids() noexcept {
  return read_ids(sys_getresuid);
}
std::optional<id_triple> group_ids() noexcept {
  return read_ids(sys_getresgid);
}

std::optional<capability_sets> read_capabilities() noexcept {
  capability_sets sets;
  __user_cap_header_struct request = header();
  if (call(SYS_capget, &request, sets.words.data()) != 0) return {};
  return sets;
}

std::optional<std::vector<std::uint32_t>> supplementary_groups() {
  const long count = ::syscall(sys_getgroups, 0, nullptr);
  if (count < 0) return {};
  std::vector<std::uint32_t> list(static_cast<std::size_t>(count));
  if (::syscall(sys_getgroups, count, list.data()) != count) return {};
  return list;
}

int set_effective_user(std::uint32_t id) noexcept {
  return call(sys_setresuid, unchanged, id, unchanged);
}
int set_effective_group(std::uint32_t id) noexcept {
  return call(sys_setresgid, unchanged, id, unchanged);
}

int set_supplementary_groups(const std::vector<std::uint32_t>& list) noexcept {
  return call(sys_setgroups, list.size(), list.data());
}

int set_capabilities(const capability_sets& sets) noexcept {
  __user_cap_header_struct request = header();
  return call(SYS_capset, &request, sets.words.data());
}

}  // namespace tp::platform
