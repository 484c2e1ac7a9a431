// Names that are given back by a thread that may have to become itself again first.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "twinpipe/backend/process.hpp"

namespace tp::detail {

/// One for each process, shared with its endpoints. Thread-safe. With a client's rights a system may not let
/// go of a name, for example not remove the socket from the server's directory; so what is closed inside
/// run_as_client waits until that ends.
class withdrawals {
 public:
  explicit withdrawals(backend::process& twin);

  /// Now, or when the calling thread leaves the identity that it has taken.
  void withdraw(std::shared_ptr<backend::bound_name> name) noexcept;
  /// The calling thread has its own rights again.
  void identity_left() noexcept;

 private:
  struct waiting {
    std::uint64_t thread;
    std::shared_ptr<backend::bound_name> name;
  };
  backend::process& twin_;
  const std::unique_ptr<backend::mutex> lock_;
  std::vector<waiting> waiting_;
};

}  // namespace tp::detail
