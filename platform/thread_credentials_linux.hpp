// The credentials of one thread, by raw system calls: the wrappers of the C library change all threads
// (nptl(7)).
#pragma once

#include <linux/capability.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace tp::platform {

struct id_triple {
  std::uint32_t real = 0, effective = 0, saved = 0;
  friend bool operator==(const id_triple&, const id_triple&) = default;
};

/// capget(2), version 3: two words of 32 capabilities.
struct capability_sets {
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};

  [[nodiscard]] bool effective(unsigned capability) const noexcept;
  [[nodiscard]] bool any_effective() const noexcept;
  void clear_effective() noexcept;
  friend bool operator==(const capability_sets& a, const capability_sets& b) noexcept;
};

struct thread_credentials {
  pid_t thread = 0;
  id_triple users, groups;
  std::vector<std::uint32_t> supplementary;
  capability_sets capabilities;
};

/// Of the calling thread; nothing if a call failed, which none of them does on a sane kernel.
[[nodiscard]] std::optional<thread_credentials> read_credentials();

[[nodiscard]] pid_t thread_id() noexcept;
[[nodiscard]] std::optional<id_triple> user_ids() noexcept;
[[nodiscard]] std::optional<id_triple> group_ids() noexcept;
[[nodiscard]] std::optional<capability_sets> read_capabilities() noexcept;
[[nodiscard]] std::optional<std::vector<std::uint32_t>> supplementary_groups();

// Each answers 0 or an errno.
[[nodiscard]] int set_effective_user(std::uint32_t id) noexcept;
[[nodiscard]] int set_effective_group(std::uint32_t id) noexcept;
[[nodiscard]] int set_supplementary_groups(const std::vector<std::uint32_t>& list) noexcept;
[[nodiscard]] int set_capabilities(const capability_sets& sets) noexcept;

}  // namespace tp::platform
