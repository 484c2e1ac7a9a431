// Steps that end what others have begun.
#include "author.hpp"

#include <iterator>

namespace tp::test::parity::api {

std::optional<step> author::stopping() {
  const auto& pending = sides_.known().all_pending();
  if (pending.empty()) return std::nullopt;
  const auto at = std::next(pending.begin(), static_cast<std::ptrdiff_t>(random_.below(pending.size())));
  // It would wait a second for its piece to go; which of two such sides gives up first is the order of their
  // turns. See plan_withdrawal().
  const bool is_large = at->second.what == verb::send && at->second.n > 100'000;
  if (!sides_.is_alive(at->second.process) || is_large) return std::nullopt;
  return step{.what = verb::stop, .process = at->second.process, .at = at->first};
}

std::optional<step> author::crashing() {
  const std::uint8_t victim = any_process();
  if (!sides_.is_alive(victim)) return std::nullopt;
  return step{.what = verb::crash, .process = victim};
}

}  // namespace tp::test::parity::api
