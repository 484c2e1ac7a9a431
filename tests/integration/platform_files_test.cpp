// Files: whole, regular, bounded, and beneath their directory.
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "platform_support.hpp"

namespace tp::test {
namespace {

namespace fs = std::filesystem;

struct files_rig : rig {
  files_rig() : root(process->files().open_directory(directory.path()).value()) {
    directory.file("inside", "content");
    fs::create_directory(directory / "sub");
    directory.file("sub/deeper", "deep");
  }
  [[nodiscard]] result<std::string> read(std::string_view path, std::size_t most = 1000) {
    return process->files().read(root.get(), path, most);
  }
  [[nodiscard]] errc code(std::string_view path, std::size_t most = 1000) {
    const auto got = read(path, most);
    return got ? errc::none : got.error().code();
  }

  temporary_directory directory;
  std::shared_ptr<backend::directory> root;
};

}  // namespace

TEST_CASE("a file beneath a directory is read whole") {
  files_rig rig;
  CHECK(rig.read("inside") == std::string("content"));
  CHECK(rig.read("sub/deeper") == std::string("deep"));
  CHECK(rig.read("sub/../inside") == std::string("content"));
  fs::create_symlink("inside", rig.directory / "link");
  CHECK(rig.read("link") == std::string("content"));
}

TEST_CASE("no path leaves its directory") {
  files_rig rig;
  temporary_directory outside;
  const std::string secret = outside.file("secret", "x");
  fs::create_symlink(secret, rig.directory / "absolute");
  fs::create_symlink("../" + fs::path(secret).parent_path().filename().string() + "/secret",
                     rig.directory / "relative");
  fs::create_symlink("/proc/self/fd", rig.directory / "magic");
  fs::create_symlink("..", rig.directory / "sub/up");
  fs::create_symlink("loop", rig.directory / "loop");
  for (const std::string& path :
       {secret, std::string("/etc/passwd"), std::string("../") + "x", std::string("sub/../../x"),
        std::string("absolute"), std::string("relative"), std::string("magic/0"), std::string("sub/up/../x"),
        std::string("loop")}) {
    INFO(path);
    CHECK(rig.code(path) == errc::access_denied);
  }
  CHECK(rig.read("sub/up/inside") == std::string("content"));
}

TEST_CASE("only regular files are read, and nothing hangs on the way") {
  files_rig rig;
  REQUIRE(::mkfifo((rig.directory / "fifo").c_str(), 0600) == 0);
  const auto socket = rig.bind(request_for(rig.directory / "socket"));
  for (const char* path : {"fifo", "socket", "sub", "."}) {
    INFO(path);
    CHECK(rig.code(path) == errc::invalid_argument);
  }
  CHECK(rig.process->files().read(nullptr, "/dev/zero", 10).error() == errc::invalid_argument);
}

TEST_CASE("what is no regular file is not even opened") {
  files_rig rig;
  const std::string fifo = rig.directory / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(::inotify_add_watch(watch, fifo.c_str(), IN_OPEN) >= 0);
  CHECK(rig.code("fifo") == errc::invalid_argument);
  CHECK(rig.process->files().read(nullptr, fifo, 10).error() == errc::invalid_argument);
  std::array<char, 256> events;
  CHECK(::read(watch, events.data(), events.size()) == -1);
  ::close(watch);
}

TEST_CASE("a file larger than the limit is file_too_large, one that fills it is not") {
  files_rig rig;
  CHECK(rig.code("inside", 7) == errc::none);
  CHECK(rig.code("inside", 6) == errc::file_too_large);
  CHECK(rig.code("inside", 0) == errc::file_too_large);
  rig.directory.file("empty", "");
  CHECK(rig.read("empty", 0) == std::string());
  const std::string large(100'000, 'x');
  rig.directory.file("large", large);
  CHECK(rig.read("large", large.size()) == large);
}

TEST_CASE("a file of unknown size is read whole and bounded all the same") {
  rig rig;
  const auto status = rig.process->files().read(nullptr, "/proc/self/status", 1 << 20);
  REQUIRE(status);
  CHECK(status->find("Uid:") != std::string::npos);
  CHECK(rig.process->files().read(nullptr, "/proc/self/status", 100).error() == errc::file_too_large);
  CHECK(rig.process->files().read(nullptr, "/proc/self/status", status->size() + 64));
}

TEST_CASE("the error says which file") {
  files_rig rig;
  const auto missing = rig.read("no\nsuch");
  REQUIRE(!missing);
  CHECK(missing.error() == errc::not_found);
  CHECK(missing.error().what_failed() == operation::read_file);
  CHECK(missing.error().subject() ==
        "no\\x0a"
        "such");
  CHECK(rig.code(std::string_view("nul\0x", 5)) == errc::invalid_argument);
  CHECK(rig.process->files().open_directory(rig.directory / "inside").error().what_failed() ==
        operation::open_directory);
  CHECK(rig.process->files().open_directory(rig.directory / "none").error() == errc::not_found);
}

TEST_CASE("reading leaves no descriptor behind") {
  files_rig rig;
  const std::size_t before = open_descriptors();
  for (const char* path : {"inside", "sub", "none", "../x"}) static_cast<void>(rig.code(path));
  CHECK(open_descriptors() == before);
}

}  // namespace tp::test
