// Names of threads, and random bytes.
#include "host.hpp"

#include <pthread.h>
#include <windows.h>

// After windows.h, which it needs.
#include <bcrypt.h>

#include "fatal.hpp"

namespace tp::platform {

// By mingw-w64's POSIX threads, on which std::thread stands there; its windows.h doesn't know
// SetThreadDescription.
void name_this_thread(const std::string& name) noexcept {
  pthread_setname_np(pthread_self(), name.c_str());
}

void fill_random(std::span<std::byte> fill) noexcept {
  const NTSTATUS status = BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(fill.data()),
                                          static_cast<ULONG>(fill.size()), BCRYPT_USE_SYSTEM_PREFERRED_RNG);
  if (status < 0) detail::fatal("the kernel gives no random bytes");
}

}  // namespace tp::platform
