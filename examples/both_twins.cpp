// One program on both twins: without arguments on real pipes, with `sim` in a simulated world.
#include <chrono>
#include <cstdio>
#include <string_view>

#include "twinpipe/sim/world.hpp"
#include "twinpipe/twinpipe.hpp"

using namespace std::chrono_literals;

// [readme]
// Nothing in these functions knows whether the pipes are real.
tp::task<tp::result<void>> serve(tp::listener listener) {
  auto client = co_await listener.accept().within(5s);
  if (!client) co_return tp::fail(client);
  tp::buffer request;
  auto got = co_await client->receive(request).within(5s);
  if (!got) co_return tp::fail(got);
  co_return co_await client->send("hello, " + std::string(request.text()));
}

tp::task<tp::result<void>> greet(tp::runtime& rt) {
  auto server = co_await rt.connect("greeter", {.mode = tp::transmission::message}).within(5s);
  if (!server) co_return tp::fail(server);
  if (auto sent = co_await server->send("world"); !sent) co_return tp::fail(sent);
  tp::buffer reply;
  auto got = co_await server->receive(reply).within(5s);
  if (!got) co_return tp::fail(got);
  std::printf("%.*s\n", static_cast<int>(reply.size()), reply.text().data());
  co_return {};
}

tp::task<int> program(tp::runtime& rt) {
  tp::endpoint_options options{.mode = tp::transmission::message, .max_instances = 4};
  auto endpoint = rt.owner().bind("greeter", options);
  if (!endpoint) co_return rt.owner().fail(endpoint.error());
  auto listener = rt.listen(*endpoint);
  if (!listener) co_return rt.owner().fail(listener.error());
  tp::task_group both;
  both.start(serve(std::move(*listener)));
  both.start(greet(rt));
  auto ended = co_await both.join();
  co_return ended ? 0 : rt.owner().fail(ended.error());
}

int real() {
  return tp::run([](tp::process& p) { return p.run(program); });
}

int simulated() {
  tp::sim::world world;
  auto twin = world.make_process("greeter", world.user("alice"));
  tp::process p(*twin);
  return p.run(program);
}
// [readme]

int main(int argc, char** argv) {
  return argc > 1 && std::string_view(argv[1]) == "sim" ? simulated() : real();
}
