// The classic named-pipe service in threads that wait: each serves one client at a time.
#include <chrono>

#include "file_service.hpp"

namespace file_service {

using namespace std::chrono_literals;

namespace {

// Greeting, file name, file.
tp::result<void> serve(tp::blocking::connection& client, const tp::directory& files, served& how) {
  if (auto sent = client.send(greeting, {.within = 30s}); !sent) return tp::fail(sent);
  tp::buffer request;
  auto got = client.receive(request, {.within = 30s});
  if (!got) return tp::fail(got);
  if (got->end) return {};
  how.file = request.text();
  auto text = client.run_as_client([&] { return files.read(how.file, file_size_max); });
  if (auto sent = client.send(reply_with(text, how), {.within = 30s}); !sent) return tp::fail(sent);
  return {};
}

// One client from its first moment to its last, whatever becomes of it.
void attend(tp::blocking::connection client, const tp::directory& files, observer& tell) {
  served how{.client = client.peer().to_string(), .file = {}, .failure = {}};
  tell.came(how.client);
  auto done = serve(client, files, how);
  if (!done) how.failure = done.error().message();
  tell.leaves(how);
  static_cast<void>(client.close({.within = 5s}));  // its outcome changes nothing any more
}

}  // namespace

tp::result<void> work(tp::process& p, const tp::endpoint& endpoint, const tp::directory& files,
                      observer& tell) {
  auto listener = tp::blocking::listen(p, endpoint);
  if (!listener && listener.error() == tp::errc::closed) return {};
  if (!listener) return tp::fail(listener);
  for (;;) {
    auto client = listener->accept();
    if (client) {
      attend(std::move(*client), files, tell);
    } else if (client.error() == tp::errc::no_resources) {
      // Out of descriptors: clients of the others that leave give theirs back.
      tell.hindered(client.error());
      p.sleep(100ms);
    } else {
      return client.error() == tp::errc::closed ? tp::result<void>() : tp::fail(client);
    }
  }
}

tp::result<tp::blocking::connection> enter(tp::process& p, std::string_view name, tp::duration patience) {
  auto server = tp::blocking::connect(p, name, client_options(), {.within = patience});
  if (!server) return tp::fail(server);
  tp::buffer first;
  auto got = server->receive(first, {.within = 30s});
  if (!got) return tp::fail(got);
  if (got->end || first.text() != greeting)
    return tp::fail(tp::errc::untrusted_server, tp::operation::connect);
  return std::move(*server);
}

tp::result<answer> ask(tp::blocking::connection& server, std::string_view file) {
  if (auto sent = server.send(file); !sent) return tp::fail(sent);
  tp::buffer reply;
  auto got = server.receive(reply, {.within = 30s});
  if (!got) return tp::fail(got);
  if (got->end || reply.empty()) return tp::fail(tp::errc::connection_lost, tp::operation::receive);
  return answer_in(reply);
}

}  // namespace file_service
