// Connecting: what a client is told when it can't, and what it doesn't trust.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <filesystem>

#include "platform_support.hpp"
#include "support/skip.hpp"
#include "twinpipe/escape.hpp"

namespace tp::test {
namespace {

namespace fs = std::filesystem;

struct answer {
  errc code;
  std::string detail;
  circumstance about = circumstance::none;
};

answer try_connect(rig& on, std::string_view name, std::string_view directory = {}) {
  const endpoint_name parsed = name_of(name);
  test_connect op;
  op.name = &parsed;
  op.runtime_directory = directory;
  on.run(on.system->connect(op), op);
  return {op.code(), op.detail ? *op.detail : "", op.about};
}

constexpr user service{54321, 54321, {}};

// A server under another user that stays until it is told to go.
child serve_in(const std::string& directory) {
  return child([directory](const child::handle& parent) {
    become(service);
    rig rig;
    auto request = request_for(directory + "/a");
    request.access = access_policy::everyone_local();
    const auto bound = rig.process->names().bind(request);
    parent.tell();
    parent.await();
    return bound ? 0 : 1;
  });
}

}  // namespace

TEST_CASE("a name that isn't there and one that nobody serves are not_found, each with its reason") {
  temporary_directory directory;
  child dead([&](const child::handle&) {
    rig rig;
    const auto bound = rig.bind(request_for(directory / "stale"));
    ::_exit(0);  // the file stays
    return 0;
  });
  REQUIRE(dead.wait() == 0);
  rig rig;
  const answer absent = try_connect(rig, directory / "absent");
  CHECK(absent.code == errc::not_found);
  CHECK(absent.detail == in_quotes(directory / "absent") + ": does not exist");
  const answer stale = try_connect(rig, directory / "stale");
  CHECK(stale.code == errc::not_found);
  CHECK(stale.detail == in_quotes(directory / "stale") + ": nobody listens");
  CHECK(try_connect(rig, directory / "no/such/directory").code == errc::not_found);
}

TEST_CASE("a full backlog is busy") {
  rig rig;
  temporary_directory directory;
  auto request = request_for(directory / "a");
  request.backlog = 1;
  const auto bound = rig.bind(request);
  std::deque<backend::detached_ptr> queued;
  answer last{};
  for (int i = 0; i < 4 && last.code == errc::none; ++i) {
    queued.push_back(rig.connect(directory / "a"));
    if (queued.back() == nullptr) last = try_connect(rig, directory / "a");
  }
  CHECK(last.code == errc::busy);
  CHECK(queued.size() == 3);  // listen(n) admits n + 1
}

TEST_CASE("only a socket is connected to, and no link to one") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  fs::create_symlink(directory / "a", directory / "link");
  CHECK(try_connect(rig, directory / "link").code == errc::untrusted_location);
  CHECK(try_connect(rig, directory.file("file", "")).code == errc::untrusted_location);
}

TEST_CASE("a socket whose mode keeps the client out is access_denied, and the path is named") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory;
  child client([&](const child::handle& parent) {
    parent.await();
    become(service);
    rig rig;
    const answer got = try_connect(rig, directory / "a");
    return got.code == errc::access_denied && got.detail.find(directory.path()) != std::string::npos ? 0 : 1;
  });
  rig rig;
  const auto bound = rig.bind(request_for(directory / "a"));
  client.tell();
  CHECK(client.wait() == 0);
}

TEST_CASE("a stranger's socket in a directory where anybody may put one is not trusted") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory(01777);
  child server = serve_in(directory.path());
  server.await();
  rig rig;
  const answer got = try_connect(rig, directory / "a");
  CHECK(got.code == errc::untrusted_location);
  CHECK(got.about == circumstance::others_socket);  // only there would server_trust::anyone help
  CHECK(got.detail.find("54321") != std::string::npos);
  server.tell();
  CHECK(server.wait() == 0);
}

TEST_CASE("a client that takes any server is led to a stranger's socket") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory(01777);
  child server = serve_in(directory.path());
  server.await();
  rig rig;
  const endpoint_name name = name_of(directory / "a");
  test_connect op;
  op.name = &name;
  op.expected = server_trust::anyone;
  rig.run(rig.system->connect(op), op);
  CHECK(op.code() == errc::none);
  REQUIRE(op.stream != nullptr);
  CHECK(op.stream->peer().uid.value == service.uid);
  server.tell();
  CHECK(server.wait() == 0);
}

TEST_CASE("a service's socket in the directory that root gave it is trusted") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory parent;
  const std::string own = parent / "service";
  REQUIRE(fs::create_directory(own));
  REQUIRE(::chown(own.c_str(), service.uid, service.gid) == 0);
  child server = serve_in(own);
  server.await();
  rig rig;
  CHECK(try_connect(rig, own + "/a").code == errc::none);
  CHECK(try_connect(rig, "a", own).code == errc::none);
  REQUIRE(::chmod(own.c_str(), 0777) == 0);
  CHECK(try_connect(rig, own + "/a").code == errc::untrusted_location);
  server.tell();
  CHECK(server.wait() == 0);
}

TEST_CASE("names of other hosts are not supported, and the reason is said") {
  rig rig;
  const answer pipe = try_connect(rig, "\\\\host\\pipe\\x");
  CHECK(pipe.code == errc::not_supported);
  CHECK(!pipe.detail.empty());
  CHECK(try_connect(rig, "ssh://host/x").code == errc::not_supported);
}

}  // namespace tp::test
