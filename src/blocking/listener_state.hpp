// A listener whose accepts wait: an asynchronous one on a loop that only they turn.
#pragma once

#include <atomic>
#include <memory>

#include "async/listener_state.hpp"
#include "async/runtime_state.hpp"
#include "twinpipe/blocking/connection.hpp"
#include "twinpipe/blocking/limits.hpp"

namespace tp::detail {

class blocking_listener_state {
 public:
  blocking_listener_state(std::unique_ptr<runtime_state> loop, ref<listener_state> listener) noexcept
      : loop_(std::move(loop)), listener_(std::move(listener)) {}
  blocking_listener_state(const blocking_listener_state&) = delete;
  blocking_listener_state& operator=(const blocking_listener_state&) = delete;
  ~blocking_listener_state();

  [[nodiscard]] result<blocking::connection> accept(const blocking::limits& how);

 private:
  [[nodiscard]] result<blocking::connection> accept_next(const blocking::limits& how);
  void settle();

  std::unique_ptr<runtime_state> loop_;
  ref<listener_state> listener_;
  std::atomic<bool> accepting_ = false;
};

}  // namespace tp::detail
