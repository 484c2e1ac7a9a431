// Threads that block: a server and a client, each on a thread, without a loop.
#include "greeter.hpp"

namespace {

using namespace std::chrono_literals;

tp::result<void> serve(tp::process& p, const tp::endpoint& endpoint) {
  auto listener = tp::blocking::listen(p, endpoint);
  if (!listener) return tp::fail(listener);
  auto client = listener->accept({.within = 5s});
  if (!client) return tp::fail(client);
  tp::buffer request;
  if (auto got = client->receive(request, {.within = 5s}); !got) return tp::fail(got);
  return client->send(greeter::greeting(request));
}

tp::result<void> greet(tp::process& p) {
  auto server = tp::blocking::connect(p, greeter::name, greeter::client_options, {.within = 5s});
  if (!server) return tp::fail(server);
  if (auto sent = server->send("world"); !sent) return tp::fail(sent);
  tp::buffer reply;
  if (auto got = server->receive(reply, {.within = 5s}); !got) return tp::fail(got);
  greeter::print(reply);
  return {};
}

int program(tp::process& p) {
  auto endpoint = p.bind(greeter::name, greeter::server_options());
  if (!endpoint) return p.fail(endpoint.error());
  auto started = p.start_thread("server", [at = *endpoint](tp::thread& t) {
    auto served = serve(t.owner(), at);
    return served ? 0 : t.owner().fail(served.error());
  });
  if (!started) return p.fail(started.error());
  if (auto greeted = greet(p); !greeted) return p.fail(greeted.error());
  return p.join();
}

}  // namespace

int main() {
  return tp::run(program);
}
