// Poll handles that wait for their descriptor's number to come again.
#pragma once

#include <uv.h>

#include <array>
#include <cstddef>
#include <utility>

namespace tp::platform {

/// A uv_poll_t means a number, not what is open under it. To make one costs three system calls and to close
/// one a turn of the loop; so who opens and closes connections, whose numbers are always the same few, uses
/// them again. What is here is stopped: libuv doesn't look at the number, and the program may.
class poll_shelf {
 public:
  poll_shelf() = default;
  poll_shelf(const poll_shelf&) = delete;
  poll_shelf& operator=(const poll_shelf&) = delete;
  ~poll_shelf() { clear(); }

  /// For this number; null: there is none.
  [[nodiscard]] uv_poll_t* take(int descriptor) noexcept {
    place& at = place_of(descriptor);
    return at.descriptor == descriptor ? std::exchange(at.handle, nullptr) : nullptr;
  }
  /// One that is stopped. True: it has replaced another, which is freed when the loop turns next.
  [[nodiscard]] bool put(int descriptor, uv_poll_t* handle) noexcept {
    place& at = place_of(descriptor);
    uv_poll_t* const replaced = std::exchange(at.handle, handle);
    at.descriptor = descriptor;
    close(replaced);
    return replaced != nullptr;
  }
  /// They are freed when the loop turns next.
  void clear() noexcept {
    for (place& each : places_) close(std::exchange(each.handle, nullptr));
  }

 private:
  struct place {
    int descriptor = -1;
    uv_poll_t* handle = nullptr;
  };
  [[nodiscard]] place& place_of(int descriptor) noexcept {
    return places_[static_cast<std::size_t>(descriptor) % places_.size()];
  }
  static void close(uv_poll_t* handle) noexcept {
    if (handle == nullptr) return;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_poll_t*>(closed); });
  }

  std::array<place, 32> places_;
};

}  // namespace tp::platform
