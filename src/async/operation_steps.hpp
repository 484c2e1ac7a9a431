// The steps that every operation takes, inline: what seldom happens in them stands in operation.cpp.
#pragma once

#include "async/runtime_state.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

inline void operation_base::configure() noexcept {
  runtime_.check_thread_of_message();
  deadline_ = never;
  phase_ = phase::configured;
}

inline errc operation_base::refuse_start() const noexcept {
  if (phase_ != phase::configured) refuse_second_await();
  if (runtime_.ending()) return errc::closed;
  if (runtime_.impersonating()) return errc::not_while_impersonating;
  if (token_.stop_requested()) return errc::cancelled;
  return errc::none;
}

inline void operation_base::complete() noexcept {
  if (hooked_) unhook();
  phase_ = phase::completed;
  if (auto waiter = std::exchange(waiter_, nullptr)) {
    waiter.resume();
  } else if (std::exchange(orphaned_, false)) [[unlikely]] {
    abandon();
  }
}

// A token costs a call only where there is one.
inline void operation_base::retire() noexcept {
  if (token_ != std::stop_token{}) forget_token();
  waiter_ = nullptr;
  phase_ = phase::idle;
}

}  // namespace tp::detail
