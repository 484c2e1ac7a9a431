// The asynchronous interface's names over the blocking one: how connections come to be.
#include "support/threaded.hpp"

#include "twinpipe/process.hpp"

namespace tp::test::threaded {
namespace {

result<connection> hand_over(runtime& home, result<blocking::connection> made) {
  if (!made) return fail(made);
  return connection(home, std::move(*made));
}

}  // namespace

awaitable<result<connection>> listener::accept() {
  return {*home_, [&home = *home_, at = made_](const blocking::limits& how) {
            return hand_over(home, at->accept(how));
          }};
}

awaitable<result<connection>> connect(runtime& home, std::string_view name, const connect_options& options) {
  return {home, [&home, options, name = std::string(name), place = std::string(options.runtime_directory),
                 program = std::string(options.program)](const blocking::limits& how) {
            connect_options own = options;
            own.runtime_directory = place;
            own.program = program;
            return hand_over(home, blocking::connect(home.owner(), name, own, how));
          }};
}

result<listener> listen(runtime& home, const endpoint& endpoint) {
  auto made = blocking::listen(home.owner(), endpoint);
  if (!made) return fail(made);
  return listener(home, std::move(*made));
}

}  // namespace tp::test::threaded
