// A way to talk that is measured: a library, or the system's calls by hand.
#pragma once

#include <span>
#include <string_view>

#include "session.hpp"

namespace bench {

/// Both sides end when the job is done, and have called finish() of their session.
struct contender {
  std::string_view name;  ///< WHO or WHO.MANNER
  void (*serve)(session&);
  void (*ask)(session&);
  /// Both sides in one process, where a contender can, on one thread but for what takes two: what it does is
  /// then the same in every run.
  void (*alone)(session& server, session& client) = nullptr;
};

/// All that were built, each file's by its own function.
[[nodiscard]] std::span<const contender> contenders();
[[nodiscard]] const contender& contender_named(std::string_view name);

[[nodiscard]] std::span<const contender> raw_contenders();
[[nodiscard]] std::span<const contender> epoll_contenders();
[[nodiscard]] std::span<const contender> uv_contenders();
[[nodiscard]] std::span<const contender> asio_contenders();
[[nodiscard]] std::span<const contender> dotnet_contenders();
[[nodiscard]] std::span<const contender> async_contenders();
[[nodiscard]] std::span<const contender> blocking_contenders();

}  // namespace bench
