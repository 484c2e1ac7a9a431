// Streams, acceptors and names under the eye of a ledger.
#pragma once

#include <memory>

#include "support/seam_ledger.hpp"
#include "twinpipe/backend.hpp"

namespace tp::test {

[[nodiscard]] backend::detached_ptr watch(backend::detached_ptr inner, ledger& book);
/// Of that system, on whose turns operations fail that are to fail later.
[[nodiscard]] backend::stream_ptr watch(backend::stream_ptr inner, backend::system* system, ledger& book);
/// Its operations fail at once.
[[nodiscard]] backend::blocking_stream_ptr watch(backend::blocking_stream_ptr inner, ledger& book);
[[nodiscard]] backend::acceptor_ptr watch(backend::acceptor_ptr inner, backend::system* system, ledger& book);
/// The twin's own stream again.
[[nodiscard]] backend::detached_ptr unwatch(backend::detached_ptr watched);

/// A bound name and the twin's own inside it.
class watched_name final : public backend::bound_name {
 public:
  watched_name(std::shared_ptr<backend::bound_name> inner, ledger& book) noexcept
      : inner_(std::move(inner)), counted_(book.names) {}
  [[nodiscard]] const std::string& location() const noexcept override { return inner_->location(); }
  [[nodiscard]] const std::string& unenforced() const noexcept override { return inner_->unenforced(); }
  void withdraw() noexcept override { inner_->withdraw(); }
  [[nodiscard]] const std::shared_ptr<backend::bound_name>& inner() const noexcept { return inner_; }

 private:
  const std::shared_ptr<backend::bound_name> inner_;
  const alive counted_;
};

}  // namespace tp::test
