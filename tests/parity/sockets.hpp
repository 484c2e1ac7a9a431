// The sockets of a script, on either side: the running kernel's, or the simulated twin's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "operation.hpp"

namespace tp::test::parity {

class sockets {
 public:
  virtual ~sockets() = default;
  virtual outcome apply(const operation& o) = 0;
  /// What is seen of each that is open; what they were told is forgotten with that.
  virtual std::array<state, slots> look() = 0;
};

/// Of this machine's kernel.
[[nodiscard]] std::unique_ptr<sockets> real_sockets();

/// Why the running kernel may charge otherwise than the model, and treat urgent bytes otherwise; empty for
/// the one that is modelled.
[[nodiscard]] std::string reason_to_skip();

/// FNV-1a, continued.
[[nodiscard]] inline std::uint64_t hash(std::uint64_t before, std::span<const std::byte> bytes) noexcept {
  std::uint64_t value = before == 0 ? 0xcbf29ce484222325 : before;
  std::size_t at = 0;
  // Every byte of what is short, and a sample of what is long.
  for (const std::size_t step = bytes.size() / 256 + 1; at < bytes.size(); at += step) {
    value = (value ^ std::to_integer<std::uint64_t>(bytes[at])) * 0x100000001b3;
  }
  return value;
}

}  // namespace tp::test::parity
