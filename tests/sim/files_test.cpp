// Files of a world: modes, search permission, and paths that may not leave a directory.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;

namespace {

struct disk {
  sim::world world;
  sim::user_id root = world.user("root", sim::privileged);
  sim::user_id owner = world.user("owner");
  sim::user_id member = world.user("member", sim::privilege::none, {50});
  sim::user_id other = world.user("other");

  [[nodiscard]] errc read(sim::user_id who, std::string_view path) {
    const host h(world, "reader", who);
    const auto text = h.process->files().read(nullptr, path, 100);
    return text ? errc::none : text.error().code();
  }
  [[nodiscard]] std::vector<errc> all(std::string_view path) {
    return {read(owner, path), read(member, path), read(other, path), read(root, path)};
  }
};

constexpr errc yes = errc::none, no = errc::access_denied;

}  // namespace

TEST_CASE("the owner's, the group's or the others' bits of a file decide, and root reads everything") {
  disk d;
  const auto with_mode = [&](std::uint32_t mode) {
    d.world.file("/srv/f", {.owner = d.owner, .group = 50, .mode = mode, .contents = "text"});
    return d.all("/srv/f");
  };
  CHECK(with_mode(0600) == std::vector{yes, no, no, yes});
  CHECK(with_mode(0640) == std::vector{yes, yes, no, yes});
  CHECK(with_mode(0644) == std::vector{yes, yes, yes, yes});
  CHECK(with_mode(0004) == std::vector{no, no, yes, yes});
  CHECK(with_mode(0000) == std::vector{no, no, no, yes});
}

TEST_CASE("a directory without search permission hides what is in it") {
  disk d;
  d.world.file("/srv/box/f", {.owner = d.owner, .mode = 0644, .contents = {}});
  d.world.directory("/srv/box", {.owner = d.owner, .group = 50, .mode = 0710, .contents = {}});
  CHECK(d.all("/srv/box/f") == std::vector{yes, yes, no, yes});
  CHECK(d.all("/srv/box/none") == std::vector{errc::not_found, errc::not_found, no, errc::not_found});
}

TEST_CASE("a read has a limit, wants a regular file, and names the path where it fails") {
  disk d;
  d.world.file("/srv/f", {.owner = d.owner, .contents = "0123456789"});
  const host h(d.world, "reader", d.owner);
  CHECK(*h.process->files().read(nullptr, "/srv/f", 10) == "0123456789");
  const auto large = h.process->files().read(nullptr, "/srv/f", 9);
  REQUIRE_FALSE(large);
  CHECK(large.error() == errc::file_too_large);
  CHECK(large.error().subject() == "/srv/f");
  CHECK(h.process->files().read(nullptr, "/srv", 9).error() == errc::invalid_argument);
  CHECK(h.process->files().read(nullptr, "/srv/f/g", 9).error() == errc::not_found);
  CHECK(h.process->files().read(nullptr, "", 9).error() == errc::not_found);
  CHECK(h.process->files().open_directory("/srv/f").error() == errc::not_found);
}

TEST_CASE("a path beneath a directory can't leave it") {
  disk d;
  d.world.file("/srv/in/deep/f", {.owner = d.owner, .contents = "inside"});
  d.world.file("/srv/secret", {.owner = d.owner, .contents = "outside"});
  const host h(d.world, "reader", d.owner);
  const auto dir = h.process->files().open_directory("/srv/in");
  REQUIRE(dir);
  const auto read = [&](std::string_view path) { return h.process->files().read(dir->get(), path, 100); };
  CHECK(*read("deep/f") == "inside");
  CHECK(*read("deep/./../deep/f") == "inside");
  for (const auto* path : {"../secret", "/srv/secret", "/srv/in/deep/f", "deep/../../secret", ".."})
    CHECK(read(path).error() == errc::access_denied);
  CHECK(read("none").error() == errc::not_found);
}

TEST_CASE(
    "a path with a NUL is no path, another twin's directory is none here, and errors show paths escaped") {
  struct foreign final : backend::directory {};
  disk d;
  const host h(d.world, "reader", d.owner);
  auto& files = h.process->files();
  foreign elsewhere;
  CHECK(files.read(nullptr, std::string_view("/f\0", 3), 9).error() == errc::invalid_argument);
  CHECK(files.open_directory(std::string_view("/\0", 2)).error() == errc::invalid_argument);
  CHECK(files.read(&elsewhere, "f", 9).error() == errc::invalid_argument);
  CHECK(files.read(nullptr, "/\x1b[31m", 9).error().subject() == "/\\x1b[31m");
  CHECK(files.open_directory("/it's").error().subject() == "/it\\'s");
}

TEST_CASE("files are read with the client's rights while the server impersonates it") {
  disk d;
  d.world.file("/srv/secret", {.owner = d.root, .mode = 0600, .contents = "s"});
  d.world.file("/srv/shared", {.owner = d.root, .group = 50, .mode = 0640, .contents = "g"});
  const host server(d.world, "server", d.root), client(d.world, "client", d.member);
  auto& files = server.process->files();
  CHECK(*files.read(nullptr, "/srv/secret", 9) == "s");
  REQUIRE(server.process->impersonator().enter(client.process->self()));
  CHECK(files.read(nullptr, "/srv/secret", 9).error() == errc::access_denied);
  CHECK(*files.read(nullptr, "/srv/shared", 9) == "g");
  server.process->impersonator().revert();
  CHECK(*files.read(nullptr, "/srv/secret", 9) == "s");
}

}  // namespace tp::test
