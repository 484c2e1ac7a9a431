// The instances of one pipe name: the one that clients reach next, and those they have reached already.
#pragma once

#include <windows.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "twinpipe/backend/names.hpp"
#include "twinpipe/backend/twin.hpp"
#include "windows/account.hpp"
#include "windows/inbox.hpp"
#include "windows/pipe_end.hpp"

namespace tp::platform {

class pipe_instance;

/// Windows has no backlog: a client reaches an instance or finds the name busy. So as soon as one is reached,
/// the wait thread that learns of it makes the next, until bind_request::backlog of them wait to be accepted;
/// no thread of ours is needed.
class instance_pool final : public backend::bound_name, public std::enable_shared_from_this<instance_pool> {
 public:
  struct settings {
    std::string location;
    descriptor_ptr security;
    DWORD kernel_limit = PIPE_UNLIMITED_INSTANCES;
    std::size_t backlog = 0;
  };
  enum class answer : std::uint8_t { taken, none, withdrawn, failed };

  explicit instance_pool(settings s);
  ~instance_pool();

  /// Makes the first instance, which takes the name.
  [[nodiscard]] result<void> open();

  /// A client's pipe, for the calling thread. With answer::none `on_client` is posted to `box` once there may
  /// be one; with answer::failed, `cause` says why no further instance could be made.
  answer take(pipe_end& end, DWORD& cause, const std::shared_ptr<inbox>& box, signal& on_client);
  /// Nothing is posted for `on_client` afterwards.
  void forget(signal& on_client) noexcept;

  [[nodiscard]] const std::string& location() const noexcept override { return settings_.location; }
  [[nodiscard]] const std::string& unenforced() const noexcept override { return unenforced_; }
  void withdraw() noexcept override;

  /// A wait thread: a client has reached `which`.
  void reached(pipe_instance* which) noexcept;
  /// An accepted pipe was closed, so the kernel may admit another instance.
  void refill() noexcept;

 private:
  struct waiter {
    std::shared_ptr<inbox> box;
    signal* on_client;
  };

  // With the lock held.
  DWORD listen_if_room(DWORD first_flag = 0) noexcept;
  void tell_waiters() noexcept;

  settings settings_;
  std::string unenforced_;
  std::wstring wide_location_;
  std::mutex lock_;
  std::unique_ptr<pipe_instance> listening_;
  std::deque<std::unique_ptr<pipe_instance>> ready_;
  std::vector<waiter> waiters_;
  bool withdrawn_ = false;
};
static_assert(backend::implements<instance_pool, backend::bound_name>);

}  // namespace tp::platform
