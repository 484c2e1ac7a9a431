// Runs that stand still because a simulated thread really blocks.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "explorer/stack_overflow.hpp"
#include "guard.hpp"

namespace tp::sim {

/// A thread of the program beside the worlds, which sees when one of them makes no step any more; it says
/// which simulated thread holds it up, and aborts the program.
class watchdog : public guard {
 public:
  /// For so long, of real time, a world may make no step; 0: for ever.
  explicit watchdog(duration patience);
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  ~watchdog() override;

  /// That of the exploration on whose thread this is called; null: none.
  [[nodiscard]] static watchdog* of_this_thread() noexcept;

  /// As long as it lives, the watchdog is the calling thread's.
  class on_duty {
   public:
    explicit on_duty(watchdog& here) noexcept;
    on_duty(const on_duty&) = delete;
    on_duty& operator=(const on_duty&) = delete;
    ~on_duty();

   private:
    watchdog* const outer_;
    const overflow_report overflow_;
  };

  void watch(const std::shared_ptr<const world::state>& what) override;
  void leave(const world::state& what) noexcept override;
  [[nodiscard]] duration patience() const noexcept override { return patience_; }

 private:
  struct watched {
    std::shared_ptr<const world::state> what;
    std::uint64_t steps;  ///< when it was looked at last
    unsigned quiet = 0;   ///< looks without a step between them
  };
  /// In all its patience. So a pause of the whole program, at a prompt or in a debugger, is one look, however
  /// long it was.
  static constexpr unsigned looks = 8;
  void look_again_and_again();

  const duration patience_;
  std::mutex lock_;
  std::condition_variable ended_;
  bool ends_ = false;
  std::vector<watched> watched_;
  std::thread thread_;
};

}  // namespace tp::sim
