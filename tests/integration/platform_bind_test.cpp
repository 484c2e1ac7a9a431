// Binding names on Linux: who gets one, what is removed and what is left alone.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <filesystem>

#include "platform_support.hpp"
#include "support/skip.hpp"

namespace tp::test {
namespace {

namespace fs = std::filesystem;

errc code_of_bind(rig& on, const backend::bind_request& request) {
  const auto bound = on.process->names().bind(request);
  return bound ? errc::none : bound.error().code();
}

struct stat status_of(const std::string& path) {
  struct stat info{};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info;
}

}  // namespace

TEST_CASE("a bound name is a socket of its owner's with a lock beside it, and goes when it is withdrawn") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  CHECK(bound->location() == directory / "a");
  CHECK(bound->unenforced().empty());
  CHECK(S_ISSOCK(status_of(directory / "a").st_mode));
  CHECK(rig.connect(directory / "a") != nullptr);
  bound->withdraw();
  CHECK(!fs::exists(directory / "a"));
  CHECK(fs::exists(directory / "a.lock"));
  CHECK(code_of_bind(rig, request_for(directory / "a")) == errc::none);
}

TEST_CASE("a second bind in the same process is name_in_use and says that this process holds the name") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto second = rig.process->names().bind(request_for(directory / "a"));
  REQUIRE(!second);
  CHECK(second.error() == errc::name_in_use);
  const std::string text = second.error().message();
  CHECK(text.find("this very process has bound the name already") != std::string::npos);
  CHECK(text.find("stop the server") == std::string::npos);
  CHECK(rig.connect(directory / "a") != nullptr);
}

TEST_CASE("a name that another process holds is in use until that process is gone, however it goes") {
  temporary_directory directory;
  child holder([&](const child::handle& parent) {
    rig rig;
    const auto bound = rig.bind(request_for(directory / "a"));
    parent.tell();
    parent.await();
    ::_exit(0);  // nothing is withdrawn
    return 0;
  });
  holder.await();
  rig rig;
  const auto refused = rig.process->names().bind(request_for(directory / "a"));
  REQUIRE(!refused);
  CHECK(refused.error() == errc::name_in_use);
  CHECK(refused.error().subject().find(std::to_string(holder.pid())) != std::string_view::npos);
  CHECK(holder.wait() == 0);
  CHECK(S_ISSOCK(status_of(directory / "a").st_mode));
  const auto bound = rig.bind(request_for(directory / "a"));
  CHECK(rig.connect(directory / "a") != nullptr);
}

TEST_CASE("of several processes that race for a stale name exactly one gets it") {
  for (int round = 0; round < 10; ++round) {
    temporary_directory directory;
    ::close(plain_socket(directory / "a", true));
    std::deque<child> racers;
    for (int i = 0; i < 4; ++i)
      racers.emplace_back([&](const child::handle& parent) {
        rig rig;
        parent.tell();
        parent.await();
        const auto bound = rig.process->names().bind(request_for(directory / "a"));
        parent.tell();
        parent.await();
        return bound ? 1 : bound.error() == errc::name_in_use ? 0 : 2;
      });
    for (const child& racer : racers) racer.await();
    for (const child& racer : racers) racer.tell();
    for (const child& racer : racers) racer.await();
    for (const child& racer : racers) racer.tell();
    int winners = 0;
    for (child& racer : racers) winners += racer.wait();
    CHECK(winners == 1);
  }
}

TEST_CASE("a file that is no socket is never removed") {
  rig rig;
  temporary_directory directory;
  const std::string path = directory.file("a", "precious");
  const auto refused = rig.process->names().bind(request_for(path));
  REQUIRE(!refused);
  CHECK(refused.error() == errc::name_in_use);
  CHECK(refused.error().message().find("move it away") != std::string::npos);
  CHECK(fs::file_size(path) == 8);
}

TEST_CASE(
    "a bind into a directory that isn't there is not_found and asks for the directory, not for a server") {
  rig rig;
  temporary_directory directory;
  const auto refused = rig.process->names().bind(request_for(directory / "missing/a"));
  REQUIRE(!refused);
  CHECK(refused.error() == errc::not_found);
  const std::string text = refused.error().message();
  CHECK(text.starts_with("bind failed: the directory of the name does not exist"));
  CHECK(text.find(directory / "missing") != std::string::npos);
  CHECK(text.find("make the directory first") != std::string::npos);
}

TEST_CASE("a symbolic link in the place of the name is not followed") {
  rig rig;
  temporary_directory directory;
  fs::create_symlink(directory / "elsewhere", directory / "a");
  CHECK(code_of_bind(rig, request_for(directory / "a")) == errc::name_in_use);
  CHECK(!fs::exists(directory / "elsewhere"));
}

TEST_CASE("a server without a lock keeps its name while it listens, and no longer") {
  rig rig;
  temporary_directory directory;
  const int server = plain_socket(directory / "a", true);
  CHECK(code_of_bind(rig, request_for(directory / "a")) == errc::name_in_use);
  ::close(server);
  CHECK(code_of_bind(rig, request_for(directory / "a")) == errc::none);
}

TEST_CASE("a withdrawn name removes only the file that it made") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  fs::remove(directory / "a");
  const std::string other = directory.file("a", "somebody else's");
  bound->withdraw();
  CHECK(fs::exists(other));
}

TEST_CASE("a directory of 320 bytes and a name of 200 bind and connect") {
  rig rig;
  temporary_directory directory;
  const std::string deep = directory / (std::string(155, 'd') + "/" + std::string(155, 'e'));
  REQUIRE(fs::create_directories(deep));
  REQUIRE(deep.size() > 320);
  for (const std::string& name : {std::string("a"), std::string(200, 'n')}) {
    const auto bound = rig.bind(request_for(deep + "/" + name));
    CHECK(bound->location() == deep + "/" + name);
    CHECK(rig.connect(deep + "/" + name) != nullptr);
    CHECK(code_of_bind(rig, request_for(deep + "/" + name)) == errc::name_in_use);
    bound->withdraw();
    CHECK(!fs::exists(deep + "/" + name));
  }
  CHECK(std::distance(fs::directory_iterator(deep), {}) == 2);  // the locks
}

TEST_CASE("the mode and the group of the socket follow the audience, whatever the umask") {
  rig rig;
  temporary_directory directory;
  const mode_t umask_before = ::umask(0077);
  const std::uint32_t group = ::getegid();
  struct row {
    access_policy who;
    mode_t mode;
  };
  for (const row& expected :
       {row{access_policy::same_user(), 0600}, row{access_policy::group(group), 0660},
        row{access_policy::users({54321}), 0666}, row{access_policy::everyone_local(), 0666}}) {
    auto request = request_for(directory / "a");
    request.access = expected.who;
    const auto bound = rig.bind(request);
    CHECK((status_of(directory / "a").st_mode & 07777) == expected.mode);
    CHECK(status_of(directory / "a").st_gid == group);
  }
  ::umask(umask_before);
}

TEST_CASE("root gives the socket to any group, and a member can connect to it") {
  if (!is_root()) return skip("needs root");
  temporary_directory directory;
  child member([&](const child::handle& parent) {
    parent.await();
    become({54321, 54321, {60000}});
    rig rig;
    return rig.connect(directory / "a") != nullptr ? 0 : 1;
  });
  child stranger([&](const child::handle& parent) {
    parent.await();
    become({54322, 54322, {}});
    rig rig;
    return rig.connect(directory / "a") == nullptr ? 0 : 1;
  });
  rig rig;
  auto request = request_for(directory / "a");
  request.access = access_policy::group(60000);
  const auto bound = rig.bind(request);
  CHECK(status_of(directory / "a").st_gid == 60000);
  member.tell();
  stranger.tell();
  CHECK(member.wait() == 0);
  CHECK(stranger.wait() == 0);
}

TEST_CASE("a group that the process may not give files to is refused, and nothing stays behind") {
  if (!is_root()) return skip("needs root");
  temporary_directory directory(01777);
  child server([&](const child::handle&) {
    become({54321, 54321, {}});
    rig rig;
    auto request = request_for(directory / "a");
    request.access = access_policy::group(60000);
    return static_cast<int>(code_of_bind(rig, request));
  });
  CHECK(static_cast<errc>(server.wait()) == errc::access_denied);
  CHECK(!fs::exists(directory / "a"));
}

TEST_CASE("a directory that others may write to is trusted only if it is sticky") {
  rig rig;
  temporary_directory open(0777), sticky(01777), group(0775);
  CHECK(code_of_bind(rig, request_for(open / "a")) == errc::untrusted_location);
  CHECK(code_of_bind(rig, request_for(group / "a")) == errc::untrusted_location);
  CHECK(code_of_bind(rig, request_for(sticky / "a")) == errc::none);
}

TEST_CASE("a directory of another user is not trusted, not even by root") {
  if (!is_root()) return skip("needs root");
  rig rig;
  temporary_directory directory;
  REQUIRE(::chown(directory.path().c_str(), 54321, 54321) == 0);
  CHECK(code_of_bind(rig, request_for(directory / "a")) == errc::untrusted_location);
}

TEST_CASE("a lock file that somebody prepared is not trusted") {
  rig rig;
  temporary_directory directory;
  const std::string victim = directory.file("victim", "precious");
  fs::create_symlink(victim, directory / "a.lock");
  fs::create_hard_link(victim, directory / "b.lock");
  fs::create_directory(directory / "c.lock");
  REQUIRE(::mkfifo((directory / "d.lock").c_str(), 0600) == 0);
  for (const char* name : {"a", "b", "c", "d"})
    CHECK(code_of_bind(rig, request_for(directory / name)) == errc::untrusted_location);
  CHECK(fs::file_size(victim) == 8);
  if (is_root()) {
    REQUIRE(::chown(directory.file("e.lock", "").c_str(), 54321, 54321) == 0);
    CHECK(code_of_bind(rig, request_for(directory / "e")) == errc::untrusted_location);
  }
}

TEST_CASE("an audience that the directory keeps out is unreachable_policy, with the remedy") {
  rig rig;
  temporary_directory closed(0700);
  fs::create_directory(closed / "open");
  REQUIRE(::chmod((closed / "open").c_str(), 0755) == 0);
  for (const access_policy& who :
       {access_policy::group(60000), access_policy::users({60000}), access_policy::everyone_local()}) {
    auto request = request_for(closed / "open/a");
    request.access = who;
    const auto refused = rig.process->names().bind(request);
    REQUIRE(!refused);
    CHECK(refused.error() == errc::unreachable_policy);
    CHECK(refused.error().subject().find(closed.path()) != std::string_view::npos);
    const std::string text = refused.error().message();
    CHECK(text.find("runtime_directory") != std::string::npos);
    CHECK(text.find("system scope") == text.rfind("system scope"));
  }
  CHECK(!fs::exists(closed / "open/a.lock"));
  CHECK(code_of_bind(rig, request_for(closed / "open/a")) == errc::none);
}

TEST_CASE("a group is let in by a directory of that group's") {
  rig rig;
  temporary_directory directory(0710);
  auto request = request_for(directory / "a");
  request.access = access_policy::group(::getegid());
  CHECK(code_of_bind(rig, request) == errc::none);
  request.access = access_policy::group(60000);
  CHECK(code_of_bind(rig, request) == errc::unreachable_policy);
}

TEST_CASE("a directory that is missing is not_found for a path, and is made for a plain name") {
  rig rig;
  temporary_directory directory;
  CHECK(code_of_bind(rig, request_for(directory / "none/a")) == errc::not_found);
  auto request = request_for("a");
  request.runtime_directory = directory / "own";
  const mode_t umask_before = ::umask(0277);
  const auto bound = rig.bind(request);
  ::umask(umask_before);
  CHECK(bound->location() == directory / "own/a");
  CHECK((status_of(directory / "own").st_mode & 07777) == 0700);
}

TEST_CASE("a bind that is refused leaves no directory behind that it would have made") {
  rig rig;
  temporary_directory directory;
  auto request = request_for("a");
  request.runtime_directory = directory / "own";
  request.access = access_policy::everyone_local();
  const auto refused = rig.process->names().bind(request);
  REQUIRE(!refused);
  CHECK(refused.error() == errc::unreachable_policy);
  CHECK(refused.error().subject().find(directory / "own") != std::string_view::npos);
  CHECK(!fs::exists(directory / "own"));
}

TEST_CASE("a directory that may not be made is access_denied") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory;
  child server([&](const child::handle&) {
    become({54321, 54321, {}});
    rig rig;
    auto request = request_for("a");
    request.runtime_directory = directory / "none";
    return static_cast<int>(code_of_bind(rig, request));
  });
  CHECK(static_cast<errc>(server.wait()) == errc::access_denied);
}

TEST_CASE("an abstract name is bound once, connects, and is free again when it is withdrawn") {
  rig rig;
  const std::string name = "unix-abstract:twinpipe-test-" + std::to_string(::getpid());
  const auto bound = rig.bind(request_for(name));
  CHECK(!bound->unenforced().empty());
  CHECK(code_of_bind(rig, request_for(name)) == errc::name_in_use);
  CHECK(rig.connect(name) != nullptr);
  bound->withdraw();
  CHECK(rig.connect(name) == nullptr);
  CHECK(code_of_bind(rig, request_for(name)) == errc::none);
}

TEST_CASE("names of other hosts are not supported") {
  rig rig;
  CHECK(code_of_bind(rig, request_for("\\\\host\\pipe\\x")) == errc::not_supported);
  CHECK(code_of_bind(rig, request_for("ssh://host/x")) == errc::not_supported);
}

TEST_CASE("binding leaves no descriptor behind, whether it worked or not") {
  temporary_directory directory;
  rig rig;
  const std::size_t before = open_descriptors();
  {
    const auto bound = rig.bind(request_for(directory / "a"));
    CHECK(code_of_bind(rig, request_for(directory / "a")) == errc::name_in_use);
    CHECK(code_of_bind(rig, request_for(directory.file("b", ""))) == errc::name_in_use);
    const auto acceptor = rig.open(bound);
    tp::test::rig other;  // a loop keeps what it has connected to last
    const auto client = other.connect(directory / "a");
    test_accept op;
    rig.run(acceptor->accept(op), op);
  }
  rig.turn_once();
  CHECK(open_descriptors() == before);
}

}  // namespace tp::test
