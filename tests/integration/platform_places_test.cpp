// Where plain names stand, and where clients look for them. Each case runs in a child with a user and an
// environment of its own.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "platform_support.hpp"
#include "support/skip.hpp"
#include "twinpipe/process.hpp"

namespace tp::test {
namespace {

namespace fs = std::filesystem;

// A number that no account and no other run of this program has; taken before any child is made.
const std::uint32_t number = 20'000 + static_cast<std::uint32_t>(::getpid()) % 30'000;
const user nobody_here{number, number, {}};
const std::string fallback = "/tmp/twinpipe-" + std::to_string(number);

// What a test makes outside its own directory: gone before, and gone afterwards however the test ends.
class clean_place {
 public:
  explicit clean_place(std::string path) : path_(std::move(path)) { fs::remove_all(path_); }
  ~clean_place() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  clean_place(const clean_place&) = delete;
  clean_place& operator=(const clean_place&) = delete;

 private:
  std::string path_;
};

std::string unique_name() {
  return "test-" + std::to_string(::getppid());
}

void clear_environment() {
  for (const char* variable : {"TWINPIPE_RUNTIME_DIR", "XDG_RUNTIME_DIR", "TMPDIR"}) ::unsetenv(variable);
}

// Binds in a child under this user; 0 if the location is as expected.
int location_is(const user& who, const std::function<void()>& prepare, const std::string& directory,
                name_scope scope = name_scope::user) {
  child server([&](const child::handle&) {
    clear_environment();
    become(who);
    prepare();
    rig rig;
    auto request = request_for(unique_name());
    request.scope = scope;
    const auto bound = rig.bind(request);
    const bool found = rig.connect(request.name.text()) != nullptr;
    bound->withdraw();
    fs::remove(bound->location() + ".lock");
    return bound->location() == directory + "/" + unique_name() ? (found ? 0 : 2) : 1;
  });
  return server.wait();
}

// 0 if neither bind nor connect of a user without an environment goes past a place that isn't trusted.
int is_stopped() {
  child victim([](const child::handle&) {
    clear_environment();
    become(nobody_here);
    rig rig;
    const auto bound = rig.process->names().bind(request_for("a"));
    if (bound || !(bound.error() == errc::untrusted_location)) return 1;
    const endpoint_name parsed = name_of("a");
    test_connect op;
    op.name = &parsed;
    rig.run(rig.system->connect(op), op);
    if (op.about == circumstance::others_socket) return 3;  // to trust any server would not help
    return op.code() == errc::untrusted_location ? 0 : 2;
  });
  return victim.wait();
}

// What standard error says of a process that binds and connects twice under this user and environment.
std::string log_of(const user& who, const std::string& chosen) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  child program([&](const child::handle&) {
    ::dup2(ends[1], STDERR_FILENO);
    clear_environment();
    become(who);
    ::setenv("TWINPIPE_RUNTIME_DIR", chosen.c_str(), 1);
    rig rig;
    process self(*rig.process);
    const auto absent = blocking::connect(self, unique_name() + "-absent");
    if (!absent) self.log(absent.error().message());
    const auto first = self.bind(unique_name());
    const auto second = self.bind(unique_name() + "-b");
    const bool bound = first && second;
    if (first) fs::remove(std::string(first->location()) + ".lock");
    if (second) fs::remove(std::string(second->location()) + ".lock");
    return bound ? 0 : 1;
  });
  CHECK(program.wait() == 0);
  ::close(ends[1]);
  std::string said(4000, '\0');
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(ends[0], said.data(), said.size()), 0)));
  ::close(ends[0]);
  return said;
}

}  // namespace

TEST_CASE("without a runtime directory a user's names stand below /tmp, in a private directory") {
  if (!is_root()) return skip("needs root, to be another user");
  const clean_place cleaned(fallback);
  CHECK(location_is(nobody_here, [] {}, fallback) == 0);
  struct stat info{};
  REQUIRE(::stat(fallback.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  CHECK(info.st_uid == nobody_here.uid);
}

TEST_CASE("the session's runtime directory is used if it is the user's own") {
  if (!is_root()) return skip("needs root, to be another user");
  const clean_place cleaned(fallback);
  temporary_directory own, foreign;
  REQUIRE(::chown(own.path().c_str(), nobody_here.uid, nobody_here.gid) == 0);
  const auto session = [](const std::string& path) {
    return [path] { ::setenv("XDG_RUNTIME_DIR", path.c_str(), 1); };
  };
  CHECK(location_is(nobody_here, session(own.path()), own / "twinpipe") == 0);
  CHECK(location_is(nobody_here, session(foreign.path()), fallback) == 0);
}

TEST_CASE("/run/user/UID comes before what the environment says of the session, if it is private") {
  if (!is_root()) return skip("needs root, to be another user");
  const std::string place = "/run/user/" + std::to_string(number);
  const clean_place cleaned(place);
  REQUIRE(fs::create_directories(place));
  REQUIRE(::chown(place.c_str(), nobody_here.uid, nobody_here.gid) == 0);
  REQUIRE(::chmod(place.c_str(), 0700) == 0);
  temporary_directory own;
  REQUIRE(::chown(own.path().c_str(), nobody_here.uid, nobody_here.gid) == 0);
  const auto prepare = [&] { ::setenv("XDG_RUNTIME_DIR", own.path().c_str(), 1); };
  CHECK(location_is(nobody_here, prepare, place + "/twinpipe") == 0);
  REQUIRE(::chmod(place.c_str(), 0755) == 0);
  CHECK(location_is(nobody_here, prepare, own / "twinpipe") == 0);
}

TEST_CASE("TWINPIPE_RUNTIME_DIR comes first, and root heeds it only if the directory is root's") {
  if (!is_root()) return skip("needs root");
  const clean_place cleaned(fallback);
  temporary_directory own, foreign;
  REQUIRE(::chown(foreign.path().c_str(), nobody_here.uid, nobody_here.gid) == 0);
  const auto choose = [](const std::string& path) {
    return [path] { ::setenv("TWINPIPE_RUNTIME_DIR", path.c_str(), 1); };
  };
  CHECK(location_is({0, 0, {}}, choose(own.path()), own.path()) == 0);
  CHECK(location_is({0, 0, {}}, choose(foreign.path()), "/run/twinpipe") == 0);
  CHECK(location_is(nobody_here, choose(foreign.path()), foreign.path()) == 0);
  CHECK(location_is(nobody_here, choose("relative"), fallback) == 0);
}

TEST_CASE(
    "whoever sets a TWINPIPE_RUNTIME_DIR that isn't used is told so once, and by a connect that fails") {
  if (!is_root()) return skip("needs root");
  const clean_place cleaned(fallback);
  temporary_directory own, foreign;
  REQUIRE(::chown(foreign.path().c_str(), nobody_here.uid, nobody_here.gid) == 0);
  const user root{0, 0, {}};
  const auto check = [](const std::string& said, const std::string& reason) {
    CAPTURE(said);
    const std::string line = "twinpipe: TWINPIPE_RUNTIME_DIR=";
    CHECK(said.starts_with(line));
    CHECK(said.find(line) == said.rfind(line));
    CHECK(said.find(reason) < said.find("connect failed"));
    CHECK(said.rfind(reason) > said.find("connect failed"));
  };
  check(log_of(root, foreign.path()), "this belongs to uid " + std::to_string(number));
  check(log_of(root, own / "missing"), "this does not exist");
  check(log_of(root, own.file("a", "text")), "this is no directory");
  check(log_of(nobody_here, "relative"), "it is not an absolute path");
  CHECK(log_of(root, own.path()).find("not used") == std::string::npos);
}

TEST_CASE("root's names and the system's stand in /run/twinpipe, which everybody may enter") {
  if (!is_root()) return skip("needs root");
  CHECK(location_is({0, 0, {}}, [] {}, "/run/twinpipe") == 0);
  CHECK(location_is({0, 0, {}}, [] { ::umask(0077); }, "/run/twinpipe", name_scope::system) == 0);
  struct stat info{};
  REQUIRE(::stat("/run/twinpipe", &info) == 0);
  CHECK((info.st_mode & 07777) == 0755);
}

TEST_CASE(
    "a user finds a server of the system's where no own one is, and is told of every place tried if neither "
    "is") {
  if (!is_root()) return skip("needs root, to be another user");
  const std::string name = "system-" + std::to_string(::getpid());
  const clean_place own(fallback), lock("/run/twinpipe/" + name + ".lock");
  child user([&](const child::handle& parent) {
    clear_environment();
    become(nobody_here);
    rig rig;
    const endpoint_name parsed = name_of(name);
    test_connect op;
    op.name = &parsed;
    rig.run(rig.system->connect(op), op);
    const std::string tried = op.detail ? *op.detail : "";
    const bool both =
        tried.find(fallback) != std::string::npos && tried.find("/run/twinpipe") != std::string::npos;
    if (op.code() != errc::not_found || !both) return 1;
    parent.tell();
    parent.await();
    return rig.connect(name) != nullptr ? 0 : 2;
  });
  user.await();
  rig rig;
  ::unsetenv("TWINPIPE_RUNTIME_DIR");
  auto request = request_for(name);
  request.scope = name_scope::system;
  request.access = access_policy::everyone_local();
  const auto bound = rig.bind(request);
  user.tell();
  CHECK(user.wait() == 0);
}

TEST_CASE("a place of a user's that another has prepared stops both server and client") {
  if (!is_root()) return skip("needs root, to be another user");
  const clean_place cleaned(fallback);
  REQUIRE(fs::create_directory(fallback));
  REQUIRE(::chown(fallback.c_str(), number + 1, number + 1) == 0);
  REQUIRE(::chmod(fallback.c_str(), 0777) == 0);
  CHECK(is_stopped() == 0);
}

TEST_CASE("a link or a file in place of a user's place stops both server and client, too") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory trap;
  REQUIRE(::chown(trap.path().c_str(), nobody_here.uid, nobody_here.gid) == 0);
  {
    const clean_place cleaned(fallback);
    fs::create_directory_symlink(trap.path(), fallback);
    CHECK(is_stopped() == 0);
  }
  const clean_place cleaned(fallback);
  REQUIRE(::close(::creat(fallback.c_str(), 0666)) == 0);
  CHECK(is_stopped() == 0);
}

TEST_CASE("a pipe's name is one of the system's, and a .NET name is where .NET looks") {
  if (!is_root()) return skip("needs root");
  temporary_directory directory;
  child server([&](const child::handle&) {
    clear_environment();
    rig rig;
    const std::string name = unique_name();
    const auto pipe = rig.bind(request_for("\\\\.\\pipe\\" + name));
    if (pipe->location() != "/run/twinpipe/" + name || rig.connect("//./pipe/" + name) == nullptr) return 1;
    pipe->withdraw();
    fs::remove(pipe->location() + ".lock");
    ::setenv("TMPDIR", directory.path().c_str(), 1);
    const auto dotnet = rig.bind(request_for("dotnet:My Pipe"));
    if (dotnet->location() != directory / "CoreFxPipe_My Pipe" || rig.connect("dotnet:My Pipe") == nullptr)
      return 2;
    const auto rooted = rig.bind(request_for("dotnet:" + (directory / "rooted")));
    if (rooted->location() != directory / "rooted") return 3;
    const auto long_one = rig.process->names().bind(request_for("dotnet:" + std::string(100, 'x')));
    return !long_one && long_one.error() == errc::name_too_long ? 0 : 4;
  });
  CHECK(server.wait() == 0);
}

}  // namespace tp::test
