// Runtimes that nobody sees: a thread that waits for more than one thing turns one until that is done.
#pragma once

#include <memory>
#include <vector>

#include "async/runtime_state.hpp"
#include "blocking/meeting_system.hpp"
#include "twinpipe/backend/threads.hpp"
#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp {
class process;
}

namespace tp::detail {

/// not_supported on a twin whose streams don't block.
[[nodiscard]] result<std::unique_ptr<runtime_state>> make_private_loop(process& owner, operation kind);

/// Starts the operation and turns its loop until it has ended.
void run_to_end(runtime_state& loop, operation_base& op, const blocking::limits& how);

/// Where the connects of one thread at a time are made.
class meeting_place {
 public:
  meeting_place(process& owner, std::unique_ptr<meeting_system> system)
      : system_(*system), runtime_(owner, std::move(system)) {
    runtime_.allow_as_client();
  }

  [[nodiscard]] runtime_state& runtime() noexcept { return runtime_; }
  void run_to_end(operation_base& op, const blocking::limits& how);

 private:
  meeting_system& system_;
  runtime_state runtime_;
};

/// A process's places for that between two connects, so that a connect needn't make one. Thread-safe.
class meeting_places {
 public:
  explicit meeting_places(backend::threads& threads) : lock_(threads.make_mutex(backend::mutex_kind::leaf)) {}
  meeting_places(const meeting_places&) = delete;
  meeting_places& operator=(const meeting_places&) = delete;
  ~meeting_places();

  [[nodiscard]] result<std::unique_ptr<meeting_place>> take(process& owner);
  void give_back(std::unique_ptr<meeting_place> place);

 private:
  static constexpr std::size_t most = 8;
  std::unique_ptr<backend::mutex> lock_;
  std::vector<std::unique_ptr<meeting_place>> idle_;
};

}  // namespace tp::detail
