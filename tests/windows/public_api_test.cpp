// The portable core on the Windows twin: bind, accept, connect, both sides of the handshake, acting as the
// client.
#include <windows.h>

#include <catch2/catch.hpp>

#include "rig.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/runtime.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::test {
namespace {

using namespace std::chrono_literals;

struct observed {
  std::string name = fresh_name().text();
  transmission mode = transmission::message;
  impersonation_level level = impersonation_level::identification;
  std::string request, reply;
  identity client;
  bool acted = false, wore_a_token = false;
  errc refusal = errc::none;
};

bool wears_a_token() {
  HANDLE token = nullptr;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return false;
  CloseHandle(token);
  return true;
}

task<result<void>> serve(listener door, observed& o) {
  auto client = co_await door.accept().within(10s);
  if (!client) co_return fail(client);
  buffer request;
  auto got = co_await client->receive(request).within(10s);
  if (!got) co_return fail(got);
  o.request = request.text();
  o.client = client->peer();
  const auto acted = client->run_as_client([&] { o.wore_a_token = wears_a_token(); });
  o.acted = acted.has_value();
  if (!acted) o.refusal = acted.error().code();
  auto sent = co_await client->send("echo of " + o.request);
  if (!sent) co_return fail(sent);
  auto end = co_await client->receive(request).within(10s);
  if (!end) co_return fail(end);
  co_return {};
}

task<result<void>> ask(runtime& rt, observed& o) {
  auto server = co_await rt.connect(o.name, {.mode = o.mode, .level = o.level}).within(10s);
  if (!server) co_return fail(server);
  if (auto sent = co_await server->send("request"); !sent) co_return fail(sent);
  buffer reply;
  auto got = co_await server->receive(reply).within(10s);
  if (!got) co_return fail(got);
  o.reply = reply.text();
  co_return {};
}

task<int> converse(runtime& rt, observed& o) {
  auto bound = rt.owner().bind(o.name, {.mode = o.mode});
  if (!bound) co_return rt.owner().fail(bound.error());
  auto door = rt.listen(*bound);
  if (!door) co_return rt.owner().fail(door.error());
  task_group both;
  both.start(serve(std::move(*door), o));
  both.start(ask(rt, o));
  auto ended = co_await both.join();
  co_return ended ? 0 : rt.owner().fail(ended.error());
}

TEST_CASE("a client and a server of the public API shake hands and exchange data, in either mode") {
  for (const auto mode : {transmission::message, transmission::byte}) {
    const auto twin = a_process();
    process p(*twin);
    observed o;
    o.mode = mode;
    REQUIRE(p.run([&](runtime& rt) { return converse(rt, o); }) == 0);
    CHECK(o.request == "request");
    CHECK(o.reply == "echo of request");
    CHECK(o.client.same_user(twin->self()));
  }
}

TEST_CASE("run_as_client puts the client's token on, if the client gave leave for that when it connected") {
  for (const auto level : {impersonation_level::identification, impersonation_level::impersonation}) {
    const bool granted = level == impersonation_level::impersonation;
    const auto twin = a_process();
    process p(*twin);
    observed o;
    o.level = level;
    REQUIRE(p.run([&](runtime& rt) { return converse(rt, o); }) == 0);
    CHECK(o.acted == granted);
    CHECK(o.wore_a_token == granted);
    CHECK(o.refusal == (granted ? errc::none : errc::impersonation_denied));
    CHECK_FALSE(wears_a_token());
  }
}

}  // namespace
}  // namespace tp::test
