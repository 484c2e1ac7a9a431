// Worlds in which the file server is tried out.
#include "file_server_worlds.hpp"

#include <chrono>
#include <string>

#include "file_server.hpp"
#include "file_service.hpp"

namespace file_server_worlds {

using namespace std::chrono_literals;

namespace {

tp::sim::program_options arguments(form server, int clients) {
  tp::sim::program_options options{
      .arguments = {"file_server", "files", "/srv/files", std::to_string(clients)}};
  if (server == form::threads) options.arguments.insert(options.arguments.begin() + 1, "--blocking");
  return options;
}

// "+" and the contents, or "-" and the server's reason.
std::string text_of(const file_service::answer& got) {
  return (got.granted ? "+" : "-") + got.text;
}

int compare(tp::process& p, const std::string& got, const std::string& expected) {
  if (got == expected) return 0;
  p.log("expected " + expected + ", got " + got);
  return 1;
}

// A client that is a coroutine.
tp::task<int> ask(tp::runtime& rt, std::string file, std::string expected) {
  auto server = co_await file_service::enter(rt, "files", 1min);
  if (!server) co_return rt.owner().fail(server.error());
  auto got = co_await file_service::ask(*server, file);
  if (!got) co_return rt.owner().fail(got.error());
  co_return compare(rt.owner(), text_of(*got), expected);
}

tp::sim::program asks(std::string file, std::string expected) {
  return [=](tp::process& p) { return p.run([&](tp::runtime& rt) { return ask(rt, file, expected); }); };
}

}  // namespace

void policy(tp::sim::world& world, form server) {
  const auto root = world.user("root", tp::sim::privileged);
  const auto alice = world.user("alice"), bob = world.user("bob", {}, {50}), carol = world.user("carol");
  world.file("/srv/files/alice.txt", {.owner = alice, .mode = 0600, .contents = "for Alice alone"});
  world.file("/srv/files/staff.txt", {.owner = root, .group = 50, .mode = 0640, .contents = "for the staff"});
  world.process("server", root, file_server, arguments(server, 4));
  world.process("owner", alice, asks("alice.txt", "+for Alice alone"));
  world.process("member", bob, asks("staff.txt", "+for the staff"));
  world.process("stranger", carol, asks("staff.txt", "-access denied: staff.txt"));
  world.process("thief", bob, asks("alice.txt", "-access denied: alice.txt"));
}

namespace {

constexpr auto held_for = 10s;

// A client that is a thread.
int holds(tp::process& p) {
  auto server = file_service::enter(p, "files", 1min);
  if (!server) return p.fail(server.error());
  p.sleep(held_for);
  const auto got = file_service::ask(*server, "public.txt");
  return got ? compare(p, text_of(*got), "+for all") : p.fail(got.error());
}

int waits(tp::process& p) {
  p.sleep(1s);  // the four are inside by then: time passes only when nobody can go on
  const auto at_once = file_service::enter(p, "files", 1s);
  if (at_once || at_once.error() != tp::errc::busy) return compare(p, "no error of that kind", "busy");
  auto server = file_service::enter(p, "files", 1min);
  if (!server) return p.fail(server.error());
  if (p.now() < tp::time_point{} + held_for)
    return compare(p, "came too early", "waited for the first of the four");
  const auto got = file_service::ask(*server, "public.txt");
  return got ? compare(p, text_of(*got), "+for all") : p.fail(got.error());
}

}  // namespace

void instances(tp::sim::world& world, form server) {
  const auto root = world.user("root", tp::sim::privileged), alice = world.user("alice");
  world.file("/srv/files/public.txt", {.owner = root, .contents = "for all"});
  world.process("server", root, file_server, arguments(server, 5));
  for (const char* name : {"first", "second", "third", "fourth"}) world.process(name, alice, holds);
  world.process("fifth", alice, waits);
}

namespace {

tp::result<std::string> ask_once(tp::process& p) {
  auto server = file_service::enter(p, "files", 1min);
  if (!server) return tp::fail(server);
  auto got = file_service::ask(*server, "public.txt");
  if (!got) return tp::fail(got);
  return text_of(*got);
}

// There is one death, so at most one conversation may break off.
int asks_until_told(tp::process& p) {
  auto got = ask_once(p);
  if (!got) {
    p.log("the server is gone: " + got.error().message());
    got = ask_once(p);
  }
  return got ? compare(p, *got, "+for all") : p.fail(got.error());
}

}  // namespace

void crash(tp::sim::world& world, form server) {
  const auto root = world.user("root", tp::sim::privileged), alice = world.user("alice");
  world.file("/srv/files/public.txt", {.owner = root, .contents = "for all"});
  auto options = arguments(server, 100);
  options.background = true;  // the run needn't wait for its end
  tp::sim::hosted& victim = world.process("server", root, file_server, options);
  world.process("supervisor", root, [&world, &victim](tp::process& p) {
    for (auto moment = world.choose(60); moment > 0; --moment) p.sleep(0ns);  // others go on
    victim.kill();
    victim.restart();
    return 0;
  });
  world.process("first", alice, asks_until_told);
  world.process("second", alice, asks_until_told);
}

}  // namespace file_server_worlds
