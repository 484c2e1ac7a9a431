// Two runtimes that spin for a moment before they sleep, which answers faster where cores are to spare.
#include "greeter.hpp"

namespace {

constexpr tp::runtime_options spins{.wait = tp::wait_strategy::adaptive};

tp::task<int> server(tp::runtime& rt, tp::endpoint endpoint) {
  auto listener = rt.listen(endpoint);
  if (!listener) co_return rt.owner().fail(listener.error());
  auto served = co_await greeter::serve(std::move(*listener));
  co_return served ? 0 : rt.owner().fail(served.error());
}

tp::task<int> client(tp::runtime& rt) {
  auto greeted = co_await greeter::greet(rt);
  co_return greeted ? 0 : rt.owner().fail(greeted.error());
}

int program(tp::process& p) {
  auto endpoint = p.bind(greeter::name, greeter::server_options());
  if (!endpoint) return p.fail(endpoint.error());
  auto started = p.start_thread("server", [at = *endpoint](tp::thread& t) {
    return t.owner().run([&](tp::runtime& rt) { return server(rt, at); }, spins);
  });
  if (!started) return p.fail(started.error());
  const int code = p.run(client, spins);
  const int joined = p.join();
  return code != 0 ? code : joined;
}

}  // namespace

int main() {
  return tp::run(program);
}
