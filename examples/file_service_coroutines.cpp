// The classic named-pipe service in coroutines: one thread serves several clients at a time.
#include <chrono>

#include "file_service.hpp"

namespace file_service {

using namespace std::chrono_literals;

namespace {

// Greeting, file name, file.
tp::task<tp::result<void>> serve(tp::connection& client, const tp::directory& files, served& how) {
  if (auto sent = co_await client.send(greeting).within(30s); !sent) co_return tp::fail(sent);
  tp::buffer request;
  auto got = co_await client.receive(request).within(30s);
  if (!got) co_return tp::fail(got);
  if (got->end) co_return {};
  how.file = request.text();
  auto text = client.run_as_client([&] { return files.read(how.file, file_size_max); });
  const std::string reply = reply_with(text, how);
  if (auto sent = co_await client.send(reply).within(30s); !sent) co_return tp::fail(sent);
  co_return {};
}

// One client from its first moment to its last, whatever becomes of it.
tp::task<void> attend(tp::connection client, const tp::directory& files, observer& tell) {
  served how{.client = client.peer().to_string(), .file = {}, .failure = {}};
  tell.came(how.client);
  auto done = co_await serve(client, files, how);
  if (!done) how.failure = done.error().message();
  tell.leaves(how);
  static_cast<void>(co_await client.close().within(5s));  // its outcome changes nothing any more
}

}  // namespace

tp::task<tp::result<void>> work(tp::runtime& rt, const tp::endpoint& endpoint, const tp::directory& files,
                                observer& tell) {
  tp::result<void> ended;
  auto listener = rt.listen(endpoint);
  if (!listener && listener.error() == tp::errc::closed) co_return ended;
  if (!listener) co_return tp::fail(listener);
  tp::task_group clients;
  for (;;) {
    auto client = co_await listener->accept();
    if (client) {
      clients.start(attend(std::move(*client), files, tell));
    } else if (client.error() == tp::errc::no_resources) {
      // Out of descriptors: clients that leave give theirs back.
      tell.hindered(client.error());
      static_cast<void>(co_await rt.sleep(100ms));
    } else {
      if (client.error() != tp::errc::closed) ended = tp::fail(client);
      break;
    }
  }
  static_cast<void>(co_await clients.join());
  co_return ended;
}

tp::task<tp::result<tp::connection>> enter(tp::runtime& rt, std::string_view name, tp::duration patience) {
  auto server = co_await rt.connect(name, client_options()).within(patience);
  if (!server) co_return tp::fail(server);
  tp::buffer first;
  auto got = co_await server->receive(first).within(30s);
  if (!got) co_return tp::fail(got);
  if (got->end || first.text() != greeting)
    co_return tp::fail(tp::errc::untrusted_server, tp::operation::connect);
  co_return std::move(*server);
}

tp::task<tp::result<answer>> ask(tp::connection& server, std::string_view file) {
  if (auto sent = co_await server.send(file); !sent) co_return tp::fail(sent);
  tp::buffer reply;
  auto got = co_await server.receive(reply).within(30s);
  if (!got) co_return tp::fail(got);
  if (got->end || reply.empty()) co_return tp::fail(tp::errc::connection_lost, tp::operation::receive);
  co_return answer_in(reply);
}

}  // namespace file_service
