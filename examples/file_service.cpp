// The classic named-pipe service.
#include "file_service.hpp"

#include <chrono>

namespace file_service {

using namespace std::chrono_literals;

tp::endpoint_options server_options() {
  tp::endpoint_options options;
  options.mode = tp::transmission::message;
  options.max_instances = 4;
  options.access = tp::access_policy::everyone_local();
  return options;
}

namespace {

// A client needs no more than this; the operator has the rest in the server's log.
std::string reason(const tp::error& e, const std::string& file) {
  return e == tp::errc::access_denied ? "access denied: " + file : e.message();
}

}  // namespace

tp::task<tp::result<served>> serve(tp::connection client, const tp::directory& files) {
  served done{.client = client.peer().to_string(), .file = {}, .failure = {}};
  if (auto sent = co_await client.send(greeting); !sent) co_return tp::fail(sent);
  tp::buffer request;
  auto got = co_await client.receive(request).within(30s);
  if (!got) co_return tp::fail(got);
  if (got->end) co_return done;
  done.file = request.text();
  auto text = client.run_as_client([&] { return files.read(done.file, file_size_max); });
  if (!text) done.failure = reason(text.error(), done.file);
  const std::string reply = text ? "+" + *text : "-" + done.failure;
  if (auto sent = co_await client.send(reply).within(30s); !sent) co_return tp::fail(sent);
  auto closed = co_await client.close().within(5s);
  if (!closed) co_return tp::fail(closed);
  co_return done;
}

tp::task<tp::result<void>> work(tp::runtime& rt, const tp::endpoint& endpoint, const tp::directory& files,
                                const std::function<void(const served&)>& report) {
  auto listener = rt.listen(endpoint);
  if (!listener) co_return tp::fail(listener);
  for (;;) {
    auto client = co_await listener->accept();
    if (!client && client.error() == tp::errc::closed) co_return tp::result<void>{};
    if (!client) co_return tp::fail(client);
    auto done = co_await serve(std::move(*client), files);
    if (done) {
      report(*done);
    } else {
      report({.client = "a client", .file = {}, .failure = done.error().message()});
    }
  }
}

tp::task<tp::result<tp::connection>> enter(tp::runtime& rt, std::string_view name, tp::duration patience) {
  const tp::connect_options options{.mode = tp::transmission::message,
                                    .level = tp::impersonation_level::impersonation,
                                    .wait_for_server = true,
                                    .program = "file_client"};
  auto server = co_await rt.connect(name, options).within(patience);
  if (!server) co_return tp::fail(server);
  tp::buffer first;
  auto got = co_await server->receive(first).within(5s);
  if (!got) co_return tp::fail(got);
  if (got->end || first.text() != greeting)
    co_return tp::fail(tp::errc::untrusted_server, tp::operation::connect);
  co_return std::move(*server);
}

tp::task<tp::result<answer>> ask(tp::connection& server, std::string_view file) {
  if (auto sent = co_await server.send(file); !sent) co_return tp::fail(sent);
  tp::buffer reply;
  auto got = co_await server.receive(reply).within(10s);
  if (!got) co_return tp::fail(got);
  if (got->end || reply.empty()) co_return tp::fail(tp::errc::connection_lost, tp::operation::receive);
  co_return answer{.granted = reply.text().front() == '+', .text = std::string(reply.text().substr(1))};
}

}  // namespace file_service
