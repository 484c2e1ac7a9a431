// Connecting to a name for the second time, and being met by a process that has come before: what is kept
// from the first time, and what is asked again.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "platform_support.hpp"
#include "support/skip.hpp"

namespace tp::test {
namespace {

namespace fs = std::filesystem;

errc code_of_connect(rig& on, std::string_view name) {
  const endpoint_name parsed = name_of(name);
  test_connect op;
  op.name = &parsed;
  on.run(on.system->connect(op), op);
  return op.code();
}

identity next_client(rig& on, backend::acceptor& acceptor) {
  test_accept op;
  on.run(acceptor.accept(op), op);
  REQUIRE(op.stream != nullptr);
  return op.stream->peer();
}

// A client that makes so many connections, and stays until it is told to go.
child client_of(const std::string& path, int connections) {
  return child([path, connections](const child::handle& parent) {
    rig rig;
    std::vector<backend::detached_ptr> made;
    for (int i = 0; i < connections; ++i) made.push_back(rig.connect(path));
    parent.tell();
    parent.await();
    return made.back() != nullptr ? 0 : 1;
  });
}

// The next process of this namespace gets the number, if the machine lets us say so; proc(5).
void ask_for_pid(pid_t number) {
  std::ofstream("/proc/sys/kernel/ns_last_pid") << number - 1;
}

}  // namespace

TEST_CASE("a name that another server has taken leads to that one, and one that is gone to nobody") {
  rig rig;
  temporary_directory directory;
  for (int i = 0; i < 2; ++i) {
    const auto bound = rig.bind(request_for(directory / "a"));
    const auto acceptor = rig.open(bound);
    for (int times = 0; times < 2; ++times) {
      const auto client = rig.connect(directory / "a");
      CHECK(client != nullptr);
      CHECK(next_client(rig, *acceptor).pid.value == static_cast<std::uint32_t>(::getpid()));
    }
    bound->withdraw();
    CHECK(code_of_connect(rig, directory / "a") == errc::not_found);
  }
}

TEST_CASE("what stands at a name in another's place is examined like the first") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  CHECK(code_of_connect(rig, directory / "a") == errc::none);
  fs::rename(directory / "a", directory / "b");
  CHECK(code_of_connect(rig, directory / "a") == errc::not_found);
  fs::create_symlink(directory / "b", directory / "a");
  CHECK(code_of_connect(rig, directory / "a") == errc::untrusted_location);
  CHECK(code_of_connect(rig, directory / "b") == errc::none);
}

TEST_CASE("a directory that was put in another's place is the one that is looked into") {
  rig rig;
  temporary_directory directory;
  REQUIRE(fs::create_directory(directory / "own"));
  const auto bound = rig.bind(request_for(directory / "own/a"));
  CHECK(code_of_connect(rig, directory / "own/a") == errc::none);
  fs::rename(directory / "own", directory / "moved");
  CHECK(code_of_connect(rig, directory / "own/a") == errc::not_found);
  REQUIRE(fs::create_directory(directory / "own"));
  CHECK(code_of_connect(rig, directory / "own/a") == errc::not_found);
  CHECK(code_of_connect(rig, directory / "moved/a") == errc::none);
}

TEST_CASE("a client without the rights to look into the directory any more doesn't connect again") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory;
  rig rig;
  auto request = request_for(directory / "a");
  request.access = access_policy::everyone_local();
  const auto bound = rig.bind(request);
  child client([&](const child::handle& parent) {
    become({54321, 54321, {}});
    tp::test::rig own;
    const errc first = code_of_connect(own, directory / "a");
    parent.tell();
    parent.await();
    return first == errc::none && code_of_connect(own, directory / "a") == errc::access_denied ? 0 : 1;
  });
  client.await();
  REQUIRE(::chmod(directory.path().c_str(), 0700) == 0);
  client.tell();
  CHECK(client.wait() == 0);
}

TEST_CASE("a loop keeps the directory, the socket and the process that it connected to last, and no more") {
  rig rig;
  temporary_directory directory;
  const auto first = rig.bind(request_for(directory / "a")), second = rig.bind(request_for(directory / "b"));
  tp::test::rig client;
  const std::size_t before = open_descriptors(), handle = client.process->features().exit_handle ? 1 : 0;
  for (const char* name : {"a", "a", "b", "a"}) {
    CHECK(client.connect(directory / name) != nullptr);
    CHECK(open_descriptors() == before + 2 + handle);
  }
}

TEST_CASE("connections of one process share its handle, and those of another have their own") {
  rig rig;
  if (!rig.process->features().exit_handle) return skip("this kernel has no SO_PEERPIDFD (Linux 6.5)");
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  child one = client_of(directory / "a", 2), other = client_of(directory / "a", 1);
  one.await();
  other.await();
  std::map<std::uint32_t, std::vector<identity>> from;
  for (int i = 0; i < 3; ++i) {
    const identity who = next_client(rig, *acceptor);
    from[who.pid.value].push_back(who);
  }
  REQUIRE(from.size() == 2);
  const auto of = [&](const child& which) { return from[static_cast<std::uint32_t>(which.pid())]; };
  one.tell();
  CHECK(one.wait() == 0);
  for (const identity& who : of(one)) CHECK(who.process->exited());
  CHECK(!of(other).front().process->exited());
  other.tell();
  CHECK(other.wait() == 0);
}

TEST_CASE("a process that has got the number of a dead one isn't taken for it, nor the dead one for it") {
  if (!is_root()) return skip("needs root, to choose a process's number");
  rig rig;
  if (!rig.process->features().exit_handle) return skip("this kernel has no SO_PEERPIDFD (Linux 6.5)");
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  child first = client_of(directory / "a", 2);
  first.await();
  const pid_t number = first.pid();
  const identity alive = next_client(rig, *acceptor);
  first.tell();
  REQUIRE(first.wait() == 0);
  ask_for_pid(number);
  child second = client_of(directory / "a", 1);
  second.await();
  if (second.pid() != number) return skip("needs /proc/sys/kernel/ns_last_pid, and nobody else who forks");
  const identity dead = next_client(rig, *acceptor), heir = next_client(rig, *acceptor);
  CHECK(alive.process->exited());
  CHECK((dead.process == nullptr || dead.process->exited()));
  REQUIRE(heir.process != nullptr);
  CHECK(!heir.process->exited());
  CHECK(heir.pid == dead.pid);
  second.tell();
  CHECK(second.wait() == 0);
}

}  // namespace tp::test
