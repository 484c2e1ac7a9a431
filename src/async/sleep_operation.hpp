// runtime::sleep.
#pragma once

#include <optional>

#include "async/resident.hpp"
#include "async/runtime_state.hpp"
#include "twinpipe/detail/frame_memory.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

/// One object per call.
class sleep_operation final : public recycled, public typed_operation<result<void>>, public resident {
 public:
  sleep_operation(runtime_state& runtime, duration d);

  bool start() override;
  void abandon() noexcept override;
  [[nodiscard]] result<void> take() override;
  void evict() noexcept override { give_up(errc::closed); }

 protected:
  void on_stop() noexcept override { give_up(errc::cancelled); }

 private:
  void woke();
  void give_up(errc reason) noexcept;

  backend::op timer_;
  time_point wake_at_;
  errc reason_ = errc::none;
  errc stop_reason_ = errc::none;  ///< of a stop that hasn't ended the timer yet
};

}  // namespace tp::detail
