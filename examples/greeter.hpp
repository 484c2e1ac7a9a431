// A conversation that samples have, each with another way to wait: a server that greets whoever tells its
// name.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "twinpipe/twinpipe.hpp"

namespace greeter {

using namespace std::chrono_literals;

inline constexpr const char* name = "greeter";
inline constexpr tp::connect_options client_options{.mode = tp::transmission::message};

[[nodiscard]] inline tp::endpoint_options server_options() {
  return {.mode = tp::transmission::message};
}

[[nodiscard]] inline std::string greeting(const tp::buffer& request) {
  return "hello, " + std::string(request.text());
}

inline void print(const tp::buffer& reply) {
  std::printf("%.*s\n", static_cast<int>(reply.size()), reply.text().data());
}

inline tp::task<tp::result<void>> serve(tp::listener listener) {
  auto client = co_await listener.accept().within(5s);
  if (!client) co_return tp::fail(client);
  tp::buffer request;
  auto got = co_await client->receive(request).within(5s);
  if (!got) co_return tp::fail(got);
  const std::string reply = greeting(request);
  co_return co_await client->send(reply);
}

inline tp::task<tp::result<void>> greet(tp::runtime& rt) {
  auto server = co_await rt.connect(name, client_options).within(5s);
  if (!server) co_return tp::fail(server);
  if (auto sent = co_await server->send("world"); !sent) co_return tp::fail(sent);
  tp::buffer reply;
  auto got = co_await server->receive(reply).within(5s);
  if (!got) co_return tp::fail(got);
  print(reply);
  co_return {};
}

/// Both sides on one runtime. What they come to is join()'s.
inline tp::result<void> start_both(tp::runtime& rt, tp::task_group& both) {
  auto endpoint = rt.owner().bind(name, server_options());
  if (!endpoint) return tp::fail(endpoint);
  auto listener = rt.listen(*endpoint);
  if (!listener) return tp::fail(listener);
  both.start(serve(std::move(*listener)));
  both.start(greet(rt));
  return {};
}

inline tp::task<tp::result<void>> joined(tp::task_group& both) {
  co_return co_await both.join();
}

}  // namespace greeter
