// Whether what writers were told has become of their bytes is what readers got.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tp::sim {

/// Of one direction of a connection; it is its reader's. Bytes that were accepted are delivered, unread, or
/// thrown away with the end at which they were unread. Numbers are modulo 2^32: a hundred thousand
/// connections have two each.
struct byte_account {
  std::uint32_t accepted = 0;
  std::uint32_t delivered = 0;

  [[nodiscard]] bool balances(std::size_t unread) const noexcept {
    return accepted - delivered == static_cast<std::uint32_t>(unread);
  }
  /// "connection 7: 12 bytes accepted, 10 delivered, 0 discarded".
  [[nodiscard]] std::string to_string(std::uint32_t connection, std::size_t unread, bool closes) const;
};

}  // namespace tp::sim
