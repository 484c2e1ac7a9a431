// How an operation of a connection starts and ends, inline for those that must be quick.
#pragma once

#include "async/connection_state.hpp"

namespace tp::detail {

template <class Node, class Result>
[[gnu::hot]] bool connection_operation<Node, Result>::start() {
  if (const errc refused = this->refuse_start(); refused != errc::none) return refuse(refused), true;
  starting_ = true;
  this->begin();
  state_->begin(static_cast<Node&>(*this));
  starting_ = false;
  return !this->pending();
}

// Nothing of the node is touched afterwards.
template <class Node, class Result>
void connection_operation<Node, Result>::give_back() noexcept {
  const auto keep = ref<connection_state>::adopt(state_);
  this->retire();
  keep->runtime().memory.template pool<Node>().give_back(static_cast<Node&>(*this));
}

template <class Node, class Result>
Result connection_operation<Node, Result>::take() {
  Result outcome = std::move(*outcome_);
  outcome_.reset();
  give_back();
  return outcome;
}

}  // namespace tp::detail
