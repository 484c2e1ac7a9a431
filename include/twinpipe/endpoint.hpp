// A bound name, shared by all threads that serve it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "twinpipe/options.hpp"

namespace tp {

namespace detail {
class endpoint_owner;
class endpoint_state;
}  // namespace detail

/// What an endpoint is doing, at one moment.
struct endpoint_statistics {
  std::size_t instances = 0;  ///< connections and accepts that hold a slot
  std::size_t half_open = 0;  ///< clients connected and not yet admitted
  std::size_t admitted = 0;   ///< connections so far
  std::size_t refused = 0;    ///< clients refused so far, by policy or in the handshake
  std::size_t shed = 0;       ///< half-open clients dropped so far because there were too many
};

/// A copyable handle from process::bind; thread-safe. The name is taken from bind on, and given back by
/// close() or when the last copy is gone; a listener holds a copy, a connection doesn't. It must not outlive
/// its process.
class endpoint {
 public:
  explicit endpoint(std::shared_ptr<detail::endpoint_owner> owner) noexcept : owner_(std::move(owner)) {}

  /// As it was given to bind.
  [[nodiscard]] const std::string& name() const noexcept;
  /// Where clients of this system find it: a path, a pipe name.
  [[nodiscard]] const std::string& location() const noexcept;
  /// What this system can't promise of the access policy, in sentences; empty if nothing.
  [[nodiscard]] const std::string& unenforced() const noexcept;
  [[nodiscard]] endpoint_statistics statistics() const;

  /// The name goes at once; on Windows only with the last connection made from it, until when clients find it
  /// `busy` and a new bind `name_in_use`; inside run_as_client when that ends, because the client's rights
  /// may not be enough. Pending accepts end with `closed`, on a later turn of their own threads; clients that
  /// wait for an instance get `closing`, or `server_gone` if they never reached a thread of ours or no
  /// listener is left. Connections live on. Twice is once.
  void close();

  [[nodiscard]] const std::shared_ptr<detail::endpoint_owner>& owner() const noexcept;

 private:
  std::shared_ptr<detail::endpoint_owner> owner_;
};

}  // namespace tp
