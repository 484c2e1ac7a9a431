// What two sides have agreed on for one connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "twinpipe/options.hpp"

namespace tp::core {

struct terms {
  transmission mode = transmission::byte;
  bool framed = false;
  bool native = true;
  bool app_drain = false;
  bool keepalive = false;
  bool can_send = true;
  bool can_receive = true;
  bool server = false;
  impersonation_level level = impersonation_level::identification;  ///< granted by the client
  std::size_t max_send = 0;  ///< largest message the peer accepts and our own options allow; not for bytes
  std::size_t max_receive = 0;
  std::size_t max_queued = 0;
  std::uint64_t id = 0;  ///< for logs; the same number on both sides
};

}  // namespace tp::core
