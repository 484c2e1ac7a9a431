// The reason for which the running case was skipped. Catch2 runs one case at a time, on one thread.
#include "support/skip.hpp"

#include <string>
#include <utility>

namespace tp::test {
namespace {

std::string& current_reason() {
  static std::string reason;
  return reason;
}

}  // namespace

void skip(std::string reason) {
  current_reason() = reason.empty() ? "no reason given" : std::move(reason);
}

std::string take_skip_reason() {
  return std::exchange(current_reason(), {});
}

}  // namespace tp::test
