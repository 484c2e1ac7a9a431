// The public handle of an endpoint.
#include "twinpipe/endpoint.hpp"

#include "async/endpoint_state.hpp"
#include "fatal.hpp"

namespace tp {

const std::shared_ptr<detail::endpoint_owner>& endpoint::owner() const noexcept {
  if (owner_ == nullptr) detail::fatal("an endpoint was used after it had been moved from");
  return owner_;
}
const std::string& endpoint::name() const noexcept {
  return owner()->state()->name();
}
const std::string& endpoint::location() const noexcept {
  return owner()->state()->bound()->location();
}
const std::string& endpoint::unenforced() const noexcept {
  return owner()->state()->bound()->unenforced();
}
endpoint_statistics endpoint::statistics() const {
  return owner()->state()->statistics();
}
void endpoint::close() {
  owner()->state()->close();
}

}  // namespace tp
