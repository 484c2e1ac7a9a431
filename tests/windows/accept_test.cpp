// Accepting on the Windows twin: instances that belong to the name, no thread for a listener, hand-over
// between threads.
#include <windows.h>

#include <tlhelp32.h>

#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "rig.hpp"
#include "support/skip.hpp"

namespace tp::test {
namespace {

using namespace std::chrono_literals;
using backend::attachment;

int threads_of_this_process() {
  const HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 entry{};
  entry.dwSize = sizeof entry;
  int count = 0;
  for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
    if (entry.th32OwnerProcessID == GetCurrentProcessId()) ++count;
  }
  CloseHandle(snapshot);
  return count;
}

TEST_CASE("forty listeners with a pending accept each cost no thread each") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const int before = threads_of_this_process();
  std::vector<std::pair<endpoint_name, backend::acceptor_ptr>> listeners;
  std::array<an_accept, 40> accepts;
  for (an_accept& op : accepts) {
    const endpoint_name name = fresh_name();
    auto acceptor = system->open(bind(*process, name));
    REQUIRE(acceptor);
    REQUIRE((*acceptor)->accept(op) == backend::start::pending);
    listeners.emplace_back(name, std::move(*acceptor));
  }
  CHECK(threads_of_this_process() < before + 10);
  const auto client = connect(*system, listeners[17].first);
  CHECK(finish(*system, accepts[17]) == errc::none);
  CHECK(accepts[17].stream != nullptr);
  for (std::size_t i = 0; i < accepts.size(); ++i) listeners[i].second->cancel(accepts[i]);
  for (an_accept& op : accepts) finish(*system, op);
}

TEST_CASE("clients reach the name before anybody accepts, and are accepted in their order") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  std::vector<backend::detached_ptr> clients;
  while (clients.size() < 3) clients.push_back(connect(*system, name));
  auto acceptor = system->open(bound);
  REQUIRE(acceptor);
  for (auto& waiting : clients) {
    auto client = attach(*system, std::move(waiting));
    auto server = attach(*system, accept(*system, **acceptor));
    REQUIRE(write(*system, *client, "my turn") == errc::none);
    CHECK(read(*system, *server) == "my turn");
  }
}

TEST_CASE("an accept that was cancelled leaves the name reachable for the next one") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  auto acceptor = system->open(bind(*process, name));
  REQUIRE(acceptor);
  an_accept op;
  REQUIRE((*acceptor)->accept(op) == backend::start::pending);
  (*acceptor)->cancel(op);
  CHECK(op.pending());
  CHECK(finish(*system, op) == errc::cancelled);
  const auto client = connect(*system, name);
  CHECK(accept(*system, **acceptor) != nullptr);
}

TEST_CASE("an accept ends at its deadline, and with closed when its acceptor or its name goes") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const auto bound = bind(*process, fresh_name());
  auto acceptor = system->open(bound);
  REQUIRE(acceptor);
  an_accept late, withdrawn, released;
  late.deadline = system->now() + 5ms;
  (*acceptor)->accept(late);
  CHECK(finish(*system, late) == errc::timed_out);
  (*acceptor)->accept(withdrawn);
  bound->withdraw();
  CHECK(finish(*system, withdrawn) == errc::closed);
  auto other = system->open(bind(*process, fresh_name()));
  REQUIRE(other);
  (*other)->accept(released);
  other->reset();
  CHECK(finish(*system, released) == errc::closed);
}

TEST_CASE("a withdrawn name is not found, and the detail says where it was looked for") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  bound->withdraw();
  a_connect op;
  op.name = &name;
  system->connect(op);
  CHECK(finish(*system, op) == errc::not_found);
  REQUIRE(op.detail);
  CHECK(op.detail->find(bound->location()) != std::string::npos);
}

TEST_CASE("connections live on when their name is withdrawn, and keep it busy until the last is closed") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  auto acceptor = system->open(bound);
  REQUIRE(acceptor);
  auto client = attach(*system, connect(*system, name));
  auto server = attach(*system, accept(*system, **acceptor), attachment::half_open);
  bound->withdraw();
  REQUIRE(write(*system, *client, "still here") == errc::none);
  CHECK(read(*system, *server) == "still here");
  a_connect op;
  op.name = &name;
  system->connect(op);
  CHECK(finish(*system, op) == errc::busy);
  server.reset();
  client.reset();
  system->turn(system->now() + 1ms);
  system->connect(op);
  CHECK(finish(*system, op) == errc::not_found);
  CHECK(process->names().bind({.name = name, .runtime_directory = {}}));
}

TEST_CASE("a raw name of one instance is busy until its connection is closed, and then reachable again") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  auto bound =
      process->names().bind({.name = name, .runtime_directory = {}, .max_instances = 1, .raw = true});
  REQUIRE(bound);
  auto acceptor = system->open(*bound);
  REQUIRE(acceptor);
  auto first = connect(*system, name);
  auto served = accept(*system, **acceptor);
  an_accept next;
  REQUIRE((*acceptor)->accept(next) == backend::start::pending);
  a_connect second;
  second.name = &name;
  system->connect(second);
  CHECK(finish(*system, second) == errc::busy);
  served.reset();
  const auto third = connect(*system, name);
  CHECK(finish(*system, next) == errc::none);
}

TEST_CASE("of two threads that accept on one name, the one that is awake gets the client") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  const auto sleepy_system = a_system(*process);
  auto sleepy = sleepy_system->open(bound);
  REQUIRE(sleepy);
  an_accept never_served;
  REQUIRE((*sleepy)->accept(never_served) == backend::start::pending);
  bool served = false;
  std::thread awake([&] {
    const auto own_system = a_system(*process);
    auto acceptor = own_system->open(bound);
    served = acceptor && accept(*own_system, **acceptor) != nullptr;
  });
  // Catch2 allows assertions on one thread at a time, so none until the other has ended.
  a_connect client;
  client.name = &name;
  system->connect(client);
  awake.join();
  CHECK(served);
  CHECK(stays_pending(*sleepy_system, never_served));
  (*sleepy)->cancel(never_served);
  finish(*sleepy_system, never_served);
}

TEST_CASE("a half-open peer goes to another thread in the middle of its hello and is established there") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, attachment::half_open);
  REQUIRE(write(*system, *pair.client, "hel") == errc::none);
  REQUIRE(read(*system, *pair.server) == "hel");
  std::array<std::byte, 8> space{};
  a_read op;
  op.into = space;
  REQUIRE(pair.server->read(op) == backend::start::pending);
  CHECK(pair.server->detach() == nullptr);  // a read is pending
  pair.server->cancel(op);
  REQUIRE(finish(*system, op) == errc::cancelled);
  auto parked = pair.server->detach();
  REQUIRE(parked);
  pair.server.reset();
  REQUIRE(write(*system, *pair.client, "lo") == errc::none);
  // Catch2 allows assertions on one thread at a time, so this one only waits.
  std::thread other([&] {
    const auto own_system = a_system(*process);
    auto half_open = attach(*own_system, std::move(parked), attachment::half_open);
    REQUIRE(read(*own_system, *half_open) == "lo");
    auto established = attach(*own_system, half_open->detach());
    half_open.reset();
    REQUIRE(write(*own_system, *established, "welcome") == errc::none);
    REQUIRE(established->detach() == nullptr);  // libuv has it for good
  });
  other.join();
  CHECK(read(*system, *pair.client) == "welcome");
  CHECK(read(*system, *pair.client) == "<end>");
}

TEST_CASE("a second bind of a name is refused as in use") {
  if (under_wine()) return skip("Wine 8 ignores FILE_FLAG_FIRST_PIPE_INSTANCE");
  const auto process = a_process();
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  const auto second = process->names().bind({.name = name, .runtime_directory = {}});
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == errc::name_in_use);
}

}  // namespace
}  // namespace tp::test
