// Runtimes that nobody sees: a thread that waits for more than one thing turns one until that is done.
#pragma once

#include <memory>
#include <vector>

#include "async/runtime_state.hpp"
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

/// A process's loops between two connects, so that a connect needn't make one. Thread-safe.
class private_loops {
 public:
  explicit private_loops(backend::threads& threads) : lock_(threads.make_mutex(backend::mutex_kind::leaf)) {}
  private_loops(const private_loops&) = delete;
  private_loops& operator=(const private_loops&) = delete;
  ~private_loops();

  [[nodiscard]] result<std::unique_ptr<runtime_state>> take(process& owner);
  void give_back(std::unique_ptr<runtime_state> loop);

 private:
  static constexpr std::size_t most = 8;
  std::unique_ptr<backend::mutex> lock_;
  std::vector<std::unique_ptr<runtime_state>> idle_;
};

}  // namespace tp::detail
