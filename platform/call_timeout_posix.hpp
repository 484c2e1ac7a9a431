// How long a call on a socket sleeps in the kernel.
#pragma once

#include "twinpipe/time.hpp"

namespace tp::platform {

/// SO_RCVTIMEO or SO_SNDTIMEO of one socket, set seldom: a call that returns too early is made again. For one
/// thread at a time.
class call_timeout {
 public:
  explicit call_timeout(int option) noexcept : option_(option) {}

  /// Whether a call that is made now may sleep: it will return before the deadline. False: that is too near
  /// or has passed, or the socket has no timeout.
  [[nodiscard]] bool fits(int socket, time_point deadline) noexcept {
    return deadline == never && set_ == duration::zero() ? true : fit(socket, deadline);
  }

 private:
  [[nodiscard]] bool fit(int socket, time_point deadline) noexcept;
  [[nodiscard]] bool set(int socket, duration timeout) noexcept;

  const int option_;
  duration set_ = duration::zero();  // zero: none
};

}  // namespace tp::platform
