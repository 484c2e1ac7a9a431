// Names of threads, and random bytes.
#include "host.hpp"

#include <pthread.h>
#include <sys/random.h>

#include <cerrno>

#include "fatal.hpp"

namespace tp::platform {

// pthread_setname_np(3) refuses more than 15 bytes instead of cutting them.
void name_this_thread(const std::string& name) noexcept {
  constexpr std::size_t longest = 15;
  ::pthread_setname_np(::pthread_self(), name.substr(0, longest).c_str());
}

// getrandom(2) gives up to 256 bytes whole; more may come in parts.
void fill_random(std::span<std::byte> fill) noexcept {
  while (!fill.empty()) {
    const ssize_t got = ::getrandom(fill.data(), fill.size(), 0);
    if (got > 0)
      fill = fill.subspan(static_cast<std::size_t>(got));
    else if (errno != EINTR)
      detail::fatal("the kernel gives no random bytes");
  }
}

}  // namespace tp::platform
