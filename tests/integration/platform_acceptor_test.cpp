// Acceptors: who gets which client, and how waiting ends.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>

#include "platform_support.hpp"

namespace tp::test {

TEST_CASE("an accept takes a client that waits already, at once") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  const auto client = rig.connect(directory / "a");
  REQUIRE(client != nullptr);
  test_accept op;
  CHECK(acceptor->accept(op) == start::done);
  CHECK(op.code() == errc::none);
  REQUIRE(op.stream != nullptr);
  CHECK(op.stream->peer().uid.value == ::geteuid());
}

TEST_CASE("an accept without a client waits for one, and for no longer than its deadline") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  test_accept late;
  late.deadline = rig.system->now() + 2ms;
  REQUIRE(acceptor->accept(late) == start::pending);
  rig.finish(late);
  CHECK(late.code() == errc::timed_out);
  test_accept op;
  REQUIRE(acceptor->accept(op) == start::pending);
  const auto client = rig.connect(directory / "a");
  rig.finish(op);
  CHECK(op.code() == errc::none);
  CHECK(op.stream != nullptr);
}

TEST_CASE("a cancelled accept leaves the client to the next one") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  test_accept first, second;
  REQUIRE(acceptor->accept(first) == start::pending);
  acceptor->cancel(first);
  rig.finish(first);
  CHECK(first.code() == errc::cancelled);
  const auto client = rig.connect(directory / "a");
  rig.run(acceptor->accept(second), second);
  CHECK(second.stream != nullptr);
}

TEST_CASE("a client that came before the cancel was asked for is accepted") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  test_accept op;
  REQUIRE(acceptor->accept(op) == start::pending);
  const auto client = rig.connect(directory / "a");
  acceptor->cancel(op);
  CHECK(op.completions == 0);
  rig.finish(op);
  CHECK(op.code() == errc::none);
  CHECK(op.stream != nullptr);
}

TEST_CASE("of several acceptors on one name each client goes to one") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto one = rig.open(bound), other = rig.open(bound);
  test_accept first, second;
  REQUIRE(one->accept(first) == start::pending);
  REQUIRE(other->accept(second) == start::pending);
  const auto client = rig.connect(directory / "a");
  rig.turn_until([&] { return first.completions + second.completions == 1; });
  CHECK(first.pending() != second.pending());
  const auto next = rig.connect(directory / "a");
  rig.finish(first);
  rig.finish(second);
  CHECK((first.stream != nullptr && second.stream != nullptr));
}

TEST_CASE("acceptors of several threads share one name") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  std::atomic<int> taken = 0;
  std::latch opened(3);
  std::vector<std::jthread> threads;
  const at_exit withdrawn([&] { bound->withdraw(); });  // which ends the threads, whatever fails before
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      auto system = rig.process->make_system().value();
      auto acceptor = system->open(bound).value();
      opened.count_down();
      for (;;) {
        test_accept op;
        if (acceptor->accept(op) == start::pending)
          while (op.pending()) static_cast<void>(system->turn(never));
        if (op.code() == errc::closed) return;
        ++taken;
      }
    });
  opened.wait();
  std::vector<backend::detached_ptr> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(rig.connect(directory / "a"));
  rig.turn_until([&] { return taken == 30; });
  bound->withdraw();
  threads.clear();
  CHECK(taken == 30);
}

TEST_CASE("a withdrawn name ends open acceptors and refuses the backlog") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto waiting = rig.open(bound), idle = rig.open(bound);
  const auto queued = rig.attach(rig.connect(directory / "a"));
  test_accept first;
  rig.run(waiting->accept(first), first);
  test_accept op;
  REQUIRE(waiting->accept(op) == start::pending);
  const auto unserved = rig.attach(rig.connect(directory / "a"));
  bound->withdraw();
  bound->withdraw();
  rig.finish(op);
  CHECK(op.code() == errc::closed);
  test_accept late;
  CHECK(idle->accept(late) == start::done);
  CHECK(late.code() == errc::closed);
  CHECK(read_some(rig, *unserved).empty());
  CHECK(rig.connect(directory / "a") == nullptr);
  CHECK(!rig.system->open(bound));
  // Nothing is left to wait for: the loop does not spin on the shut socket.
  CHECK(rig.system->turn(rig.system->now() + 10ms) == backend::turn_result::timed_out);
}

TEST_CASE("a withdrawn name refuses its backlog when no descriptor is left, too") {
  // A name without a file has nothing else to close first.
  const std::string name = "unix-abstract:twinpipe-withdrawn-" + std::to_string(::getpid());
  child server([&](const child::handle&) {
    rig rig;
    const auto bound = rig.bind(request_for(name));
    const auto idle = rig.open(bound);
    const auto one = rig.attach(rig.connect(name)), other = rig.attach(rig.connect(name));
    allow_more_descriptors(0);
    if (rig.process->make_system()) return 1;
    bound->withdraw();
    for (const auto* client : {&one, &other}) {
      test_read in;
      in.deadline = rig.system->now() + 5s;
      rig.run((*client)->read(in), in);
      if (in.code() != errc::none || in.n != 0) return 2;
    }
    return 0;
  });
  CHECK(server.wait() == 0);
}

TEST_CASE("an acceptor that sees its name withdrawn gives back its descriptor at once") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const std::size_t before = open_descriptors();
  const auto waiting = rig.open(bound), idle = rig.open(bound);
  test_accept op, late;
  REQUIRE(waiting->accept(op) == start::pending);
  REQUIRE(open_descriptors() == before + 2);
  bound->withdraw();
  rig.finish(op);
  CHECK(op.code() == errc::closed);
  CHECK(idle->accept(late) == start::done);
  CHECK(late.code() == errc::closed);
  CHECK(open_descriptors() <=
        before - 3);  // the name's own: listening socket, spare, lock; its directory, too
}

TEST_CASE("a bound name that goes away withdraws itself") {
  rig rig;
  temporary_directory directory;
  auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  test_accept op;
  REQUIRE(acceptor->accept(op) == start::pending);
  bound.reset();
  rig.finish(op);
  CHECK(op.code() == errc::closed);
}

TEST_CASE("an acceptor may be released inside its completion, and with one pending") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  auto inside = rig.open(bound), outside = rig.open(bound);
  test_accept first, second;
  first.then = [&] { inside.reset(); };
  REQUIRE(inside->accept(first) == start::pending);
  const auto client = rig.connect(directory / "a");
  rig.finish(first);
  CHECK(first.stream != nullptr);
  REQUIRE(outside->accept(second) == start::pending);
  outside.reset();
  rig.finish(second);
  CHECK(second.code() == errc::closed);
}

TEST_CASE("a client that left before it was accepted is a stream at its end") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  auto client = rig.attach(rig.connect(directory / "a"));
  REQUIRE(write_all(rig, *client, "bye") == errc::none);
  client.reset();
  test_accept op;
  rig.run(acceptor->accept(op), op);
  REQUIRE(op.stream != nullptr);
  CHECK(op.stream->peer().uid.may_authorise());
  const auto server = rig.attach(std::move(op.stream));
  CHECK(read_some(rig, *server) == "bye");
  CHECK(read_some(rig, *server).empty());
}

TEST_CASE("without descriptors an accept ends no_resources and the client stays for the next") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  // One round with descriptors first: a sanitizer checks each type once, and needs one for that.
  test_accept earlier, waiting;
  REQUIRE(acceptor->accept(earlier) == start::pending);
  const auto earlier_client = rig.connect(directory / "a");
  rig.finish(earlier);
  REQUIRE(acceptor->accept(waiting) == start::pending);
  const auto client = rig.connect(directory / "a");
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  const int next_free = ::dup(0);
  ::close(next_free);
  const rlimit tight{static_cast<rlim_t>(next_free), old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  rig.finish(waiting);
  const auto idle = rig.system->turn(rig.system->now() + 10ms);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(waiting.code() == errc::no_resources);
  CHECK(idle == backend::turn_result::timed_out);
  test_accept again;
  rig.run(acceptor->accept(again), again);
  CHECK(again.stream != nullptr);
}

}  // namespace tp::test
