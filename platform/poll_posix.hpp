// Waiting for descriptors until a deadline.
#pragma once

#include <poll.h>

#include <cerrno>
#include <span>

#include "clock.hpp"
#include "errors_posix.hpp"

namespace tp::platform {

[[nodiscard]] inline timespec time_until(time_point deadline) noexcept {
  const time_point now = real_now();
  const duration rest = deadline > now ? deadline - now : duration::zero();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(rest);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((rest - seconds).count())};
}

/// ok: one of them has something to tell, or a signal came. timed_out, io_error.
[[nodiscard]] inline backend::status poll_until(std::span<pollfd> questions, time_point deadline) noexcept {
  timespec left{};
  if (deadline != never) left = time_until(deadline);
  const int got = ::ppoll(questions.data(), questions.size(), deadline == never ? nullptr : &left, nullptr);
  if (got == 0) return {errc::timed_out};
  if (got > 0) return {};
  for (pollfd& question : questions) question.revents = 0;
  return errno == EINTR ? backend::status{} : to_status(errno);
}

}  // namespace tp::platform
