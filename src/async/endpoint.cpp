// The public handle of an endpoint.
#include "twinpipe/endpoint.hpp"

#include "async/endpoint_state.hpp"

namespace tp {

const std::string& endpoint::name() const noexcept {
  return owner_->state()->name();
}
const std::string& endpoint::location() const noexcept {
  return owner_->state()->bound()->location();
}
const std::string& endpoint::unenforced() const noexcept {
  return owner_->state()->bound()->unenforced();
}
endpoint_statistics endpoint::statistics() const {
  return owner_->state()->statistics();
}
void endpoint::close() {
  owner_->state()->close();
}

}  // namespace tp
