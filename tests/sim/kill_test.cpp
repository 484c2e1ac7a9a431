// A process that was killed, while its objects live on.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

namespace {

/// A pair whose server is killed.
struct victim : duplex {
  victim() { world.file("/f", {.owner = user, .contents = "f"}); }
  void kill() { world.kill(*server.process); }
};

}  // namespace

THREADED_TEST_CASE("whatever starts after a kill is answered process_killed, at once") {
  victim v;
  v.kill();
  v.kill();
  backend::process& dead = *v.server.process;
  CHECK(v.server.try_bind(request("other", access_policy::audience::same_user)).error() ==
        errc::process_killed);
  CHECK(v.server.system->open(v.name).error() == errc::process_killed);
  CHECK(v.server.system->attach(v.client.connect("none"), attachment::established).error() ==
        errc::process_killed);
  CHECK(dead.make_system().error() == errc::process_killed);
  CHECK(dead.threads().start_thread("t", [] {}).error() == errc::process_killed);
  CHECK(dead.files().open_directory("/").error() == errc::process_killed);
  CHECK(dead.files().read(nullptr, "/f", 9).error() == errc::process_killed);
  CHECK(dead.impersonator().check(dead.self()).error() == errc::process_killed);
  CHECK(dead.impersonator().enter(dead.self()).error() == errc::process_killed);
  CHECK_FALSE(dead.impersonator().active());
  CHECK_FALSE(v.far->detach());
}

TEST_CASE("every operation that starts after a kill is done, and one that is scheduled completes") {
  victim v;
  v.kill();
  const endpoint_name name = named("pair");
  reading read;
  writing write("x");
  waiting shutdown, drain, nap, task;
  accepting accept;
  probe<connect_op> connect;
  connect.name = &name;
  CHECK(v.far->read(read) == start::done);
  CHECK(v.far->write(write) == start::done);
  CHECK(v.far->shutdown(shutdown) == start::done);
  CHECK(v.far->drain(drain) == start::done);
  CHECK(v.acceptor->accept(accept) == start::done);
  CHECK(v.server.system->sleep(nap) == start::done);
  CHECK(v.server.system->connect(connect) == start::done);
  v.server.system->schedule(task);
  const std::vector codes{read.code(),   write.code(), shutdown.code(), drain.code(),
                          accept.code(), nap.code(),   connect.code()};
  CHECK(codes == std::vector(codes.size(), errc::process_killed));
  CHECK(v.server.system->turn(never) == turn_result::progressed);
  CHECK(task.completions == 1);
}

TEST_CASE("what was pending when its process was killed completes in the next turn, and touches no buffer") {
  victim v;
  reading read;
  accepting accept;
  waiting nap, task;
  nap.deadline = time_point{} + 1s;
  REQUIRE(v.far->read(read) == start::pending);
  REQUIRE(v.acceptor->accept(accept) == start::pending);
  REQUIRE(v.server.system->sleep(nap) == start::pending);
  v.server.system->schedule(task);
  v.server.system->get_waker()->wake();
  duplex::put(*v.near, "too late");
  v.kill();
  CHECK(read.completions + accept.completions + nap.completions + task.completions == 0);
  CHECK(v.server.system->turn(never) == turn_result::progressed);
  CHECK(std::vector{read.code(), accept.code(), nap.code()} == std::vector(3, errc::process_killed));
  CHECK(read.text().empty());
  CHECK(v.server.system->turn(never) == turn_result::stalled);
}

TEST_CASE("a dead process moves neither time nor the world, and says nothing") {
  victim v;
  waiting nap, task;
  nap.deadline = time_point{} + 1h;
  REQUIRE(v.client.system->sleep(nap) == start::pending);
  v.kill();
  v.server.process->log("a last word");
  v.server.process->threads().sleep_until(time_point{} + 2h);
  const auto lock = v.server.process->threads().make_mutex(mutex_kind::user);
  lock->lock();
  CHECK(v.server.process->threads().make_condition()->wait(*lock, never));
  CHECK_FALSE(v.server.process->threads().make_event()->wait(never));
  CHECK(v.server.system->turn(time_point{} + 2h) == turn_result::stalled);
  CHECK(v.world.now() == time_point{});
  CHECK(v.world.trace().empty());
  std::array<std::byte, 4> numbers{std::byte{1}};
  v.server.process->threads().random(numbers);
  CHECK(numbers == std::array<std::byte, 4>{});
  v.client.system->turn(never);
  CHECK(nap.completions == 1);
}

TEST_CASE("the kernel closes what a killed process had: names are free, connections end") {
  victim v;
  v.kill();
  CHECK(v.server.process->self().uid.value == v.user.uid);
  CHECK(v.name->location() == "/run/user/1000/twinpipe/pair");
  CHECK(v.near->peer().process->exited());
  CHECK(v.take(*v.near) == "end");
  CHECK(duplex::put(*v.near, "x") == errc::broken_pipe);
  const auto again = v.client.bind("pair");
  v.name->withdraw();
  CHECK(v.client.connect("pair"));
}

TEST_CASE(
    "the kernel closes what a killed process had in the order of its opening, whatever had gone before") {
  sim::world world;
  const auto user = world.user("alice");
  host server(world, "server", user), client(world, "client", user);
  const auto name = server.bind("many", 200);
  std::vector<backend::detached_ptr> open;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 12; ++i) open.push_back(client.connect("many"));
    for (std::size_t i = 0; i < open.size(); ++i)
      if (i % 3 != 0) open[i].reset();
    std::erase(open, nullptr);
  }
  world.kill(*client.process);
  std::istringstream events(world.recent_events());
  std::vector<int> closed;
  for (std::string line; std::getline(events, line);) {
    if (line.find("kills client, pid ") != std::string::npos) closed.clear();
    const auto at = line.find("connection ");
    if (line.ends_with(" is closed: its process is dead")) closed.push_back(std::stoi(line.substr(at + 11)));
  }
  CHECK(closed.size() == open.size());
  CHECK(std::ranges::is_sorted(closed));
}

TEST_CASE("a process may be killed while it acts for a client, and the scope ends silently") {
  sim::world world;
  const host server(world, "server", world.user("root", sim::privileged));
  const host client(world, "client", world.user("alice"));
  auto& acting = server.process->impersonator();
  REQUIRE(acting.enter(client.process->self()));
  world.kill(*server.process);
  CHECK(acting.enter(client.process->self()).error() == errc::process_killed);
  acting.revert();
  CHECK_FALSE(acting.active());
}

TEST_CASE("a process may kill itself in its own completion, which goes on to its end") {
  victim v;
  waiting first, second;
  errc later = errc::none;
  first.then = [&] {
    v.kill();
    reading read;
    CHECK(v.far->read(read) == start::done);
    later = read.code();
  };
  v.server.system->schedule(first);
  v.server.system->schedule(second);
  CHECK(v.client.system->turn(never) == turn_result::progressed);
  CHECK(first.completions == 1);
  CHECK(later == errc::process_killed);
}

THREADED_TEST_CASE("a world that is static may end after all that its thread of the program had kept") {
  const auto said = last_words([] {
    std::atexit([] {  // after the world, which is made later
      std::fputs("the end\n", stderr);
      std::abort();
    });
    static sim::world late;
    for (const char* name : {"one", "two"}) {
      late.process(name, late.user("alice"),
                   [](tp::process& p) {
                     tp::event never_set(p);
                     never_set.wait();
                     return 0;
                   },
                   {.background = true});
    }
    late.process("client", late.user("bob"), [](tp::process& p) { return p.sleep(1ms), 0; });
    late.run();
    std::exit(0);
  });
  CHECK(said == "the end\n");
}

THREADED_TEST_CASE("a thread that waits for nothing but its peer's word leaves when its process is killed") {
  const auto drains = [](tp::process& p) {
    const auto served = p.bind("x", {.mode = transmission::message});
    auto peer = blocking::listen(p, *served)->accept();
    static_cast<void>(peer->send("never received"));
    static_cast<void>(peer->drain());  // before the answer there is a message that nobody receives
    return 0;
  };
  sim::explore({.runs = 20}, [&](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& victim = world.process("victim", alice, drains, {.background = true});
    world.process("peer", alice, [&victim](tp::process& p) {
      auto server = blocking::connect(p, "x", {.mode = transmission::message, .wait_for_server = true});
      if (!server || !server->send("message")) return 1;
      p.sleep(1s);
      victim.kill();
      return 0;
    });
  });
}

THREADED_TEST_CASE("a thread that waits for another's read leaves when both are killed with their process") {
  const auto waits = [](tp::process& p) {
    const auto served = p.bind("x", {.mode = transmission::message});
    auto peer = blocking::listen(p, *served)->accept();
    p.start_thread("drains", [&](tp::thread&) {
      static_cast<void>(peer->send("never received"));
      static_cast<void>(peer->drain());  // it reads
      return 0;
    });
    p.start_thread("receives", [&](tp::thread&) {
      p.sleep(1ms);
      buffer into;
      static_cast<void>(peer->receive(into));
      return 0;
    });
    return p.join();
  };
  sim::explore({.runs = 20}, [&](sim::world& world) {
    const auto alice = world.user("alice");
    sim::hosted& victim = world.process("victim", alice, waits, {.background = true});
    world.process("peer", alice, [&victim](tp::process& p) {
      auto server = blocking::connect(p, "x", {.mode = transmission::message, .wait_for_server = true});
      p.sleep(1s);
      victim.kill();
      return server ? 0 : 1;
    });
  });
}

}  // namespace tp::test
