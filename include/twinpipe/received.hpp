// What a receive, a send and a close came to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "twinpipe/error.hpp"

namespace tp {

/// Outcome of a receive that didn't fail.
struct received {
  std::size_t bytes = 0;  ///< in the caller's span or buffer
  bool complete = true;   ///< message mode: false while bytes of this message are still to come
  bool end = false;       ///< the peer sends no more; bytes is 0, and every later receive says the same
  /// With end: the peer closed without reading all that we sent, as far as the system tells.
  bool discarded = false;
};

/// Bytes sent. Fewer than asked only in byte mode, when the send was stopped or timed out in the middle: so
/// many the peer will get. Converts to result<void> for who doesn't need the count.
class send_result : public result<std::size_t> {
 public:
  using result<std::size_t>::result;
  operator result<void>() const {  // NOLINT(google-explicit-constructor): it loses nothing but the count
    if (!has_value()) return std::unexpected(error());
    return {};
  }
};

/// What close() could find out about the bytes that were sent.
enum class delivery : std::uint8_t {
  delivered,  ///< the peer has them: framed, its application consumed them; unframed, its process read them
  discarded,  ///< the peer closed without reading all of them
  unknown,    ///< the deadline came first, or this system doesn't tell
};

}  // namespace tp
