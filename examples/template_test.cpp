// "Test your own application": copy this file and put your programs in the place of these two. Build it with
// twinpipe::sim and Catch2::Catch2WithMain; docs/testing.md is the guide.
#include <catch2/catch.hpp>
#include <chrono>

#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

using namespace std::chrono_literals;

// Your server: what your main() gives to tp::run. Keep main() in a source of its own.
int my_server(tp::process& p) {
  auto endpoint = p.bind("my-service");
  if (!endpoint) return p.fail(endpoint.error());
  auto listener = tp::blocking::listen(p, *endpoint);
  if (!listener) return p.fail(listener.error());
  while (true) {
    auto client = listener->accept();
    if (!client) return p.fail(client.error());
    tp::buffer question;
    const auto got = client->receive(question, {.within = 5s});
    if (got && !got->end) static_cast<void>(client->send("you said: " + std::string(question.text())));
  }
}

// Your client: it returns something else than 0 if it doesn't get what it should.
int my_client(tp::process& p) {
  auto server = tp::blocking::connect(p, "my-service", {.wait_for_server = true}, {.within = 10s});
  if (!server) return p.fail(server.error());
  if (auto sent = server->send("hello"); !sent) return p.fail(sent.error());
  tp::buffer answer;
  if (auto got = server->receive(answer, {.within = 10s}); !got) return p.fail(got.error());
  return answer.text() == "you said: hello" ? 0 : 1;
}

TEST_CASE("clients get their answers, whatever the order in which things happen") {
  tp::sim::explore({.runs = 1000}, [](tp::sim::world& world) {
    const auto alice = world.user("alice");
    world.process("server", alice, my_server, {.background = true});
    world.process("one client", alice, my_client);
    world.process("another", alice, my_client);
  });
}
