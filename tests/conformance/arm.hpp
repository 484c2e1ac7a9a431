// Which of the two interfaces the cases are about: the suite is built a second time with `connection`,
// `listener` and `awaitable` standing for blocking calls, one thread each.
#pragma once

#include <string_view>

#ifdef TWINPIPE_BLOCKING_ARM
#include "support/threaded.hpp"
#else
#include "twinpipe/connection.hpp"
#include "twinpipe/listener.hpp"
#include "twinpipe/runtime.hpp"
#endif

namespace tp::conformance {

#ifdef TWINPIPE_BLOCKING_ARM
using test::threaded::awaitable;
using test::threaded::connection;
using test::threaded::listener;
/// For cases in which the two differ on purpose; docs/semantics.md, rules B, says where.
inline constexpr bool calls_block = true;

[[nodiscard]] inline awaitable<result<connection>> connect_on(runtime& home, std::string_view name,
                                                              const connect_options& options) {
  return test::threaded::connect(home, name, options);
}
[[nodiscard]] inline result<listener> listen_on(runtime& home, const endpoint& served) {
  return test::threaded::listen(home, served);
}
#else
using tp::awaitable;
using tp::connection;
using tp::listener;
inline constexpr bool calls_block = false;

[[nodiscard]] inline awaitable<result<connection>> connect_on(runtime& home, std::string_view name,
                                                              const connect_options& options) {
  return home.connect(name, options);
}
[[nodiscard]] inline result<listener> listen_on(runtime& home, const endpoint& served) {
  return home.listen(served);
}
#endif

}  // namespace tp::conformance
