// When real processes have come as far as they can: threads that block go on by themselves.
#pragma once

#include <vector>

namespace tp::test::parity::api {

/// Returns when all threads of these processes sleep, and none has run since it was seen asleep. What only
/// time ends doesn't count. False: they wouldn't rest.
[[nodiscard]] bool wait_for_stillness(const std::vector<int>& pids);

}  // namespace tp::test::parity::api
