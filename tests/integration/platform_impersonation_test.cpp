// Impersonation: what the client may, this thread may, and nothing is left of it afterwards.
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

#include "platform_support.hpp"
#include "support/skip.hpp"

namespace tp::test {
namespace {

identity identity_of(const user& who) {
  identity out;
  out.uid = {who.uid, trust::authoritative};
  out.gid = {who.gid, trust::authoritative};
  out.groups = {who.groups, trust::authoritative};
  return out;
}

const identity client = identity_of({54321, 54321, {60000}});

// Everything about the calling thread that impersonation may touch.
std::string credentials_now() {
  std::array<char, 4096> text{};
  const int file = ::open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t got = ::read(file, text.data(), text.size());
  ::close(file);
  const std::string all(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::string out;
  for (const char* key :
       {"\nUid:", "\nGid:", "\nGroups:", "\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapAmb:"}) {
    const std::size_t at = all.find(key);
    if (at != std::string::npos) out += all.substr(at, all.find('\n', at + 1) - at);
  }
  return out;
}

constexpr auto no_effective_set = "CapEff:\t0000000000000000";

void set_capabilities(std::uint32_t effective) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  sets[0] = {effective, effective, 0};
  if (::syscall(SYS_capset, &header, sets.data()) != 0) ::_exit(96);
}

constexpr std::uint32_t bit(unsigned capability) {
  return 1U << capability;
}

struct three_files {
  three_files() {
    REQUIRE(::chown(owned.c_str(), 54321, 0) == 0);
    REQUIRE(::chown(shared.c_str(), 0, 60000) == 0);
  }
  temporary_directory directory;
  std::string owned = directory.file("owned", "by owner", 0600);
  std::string shared = directory.file("shared", "by group", 0640);
  std::string secret = directory.file("secret", "by nobody else", 0600);
};

errc read_code_of(backend::process& process, const std::string& path) {
  const auto got = process.files().read(nullptr, path, 1000);
  return got ? errc::none : got.error().code();
}

}  // namespace

TEST_CASE("inside, the client's rights decide; afterwards the server's, and nothing has changed") {
  if (!is_root()) return skip("needs root");
  three_files files;
  rig rig;
  const std::string before = credentials_now();
  REQUIRE(rig.process->impersonator().check(client));
  REQUIRE(rig.process->impersonator().enter(client));
  const bool active = rig.process->impersonator().active();
  const errc owned = read_code_of(*rig.process, files.owned),
             shared = read_code_of(*rig.process, files.shared),
             secret = read_code_of(*rig.process, files.secret);
  rig.process->impersonator().revert();
  CHECK(active);
  CHECK(owned == errc::none);
  CHECK(shared == errc::none);
  CHECK(secret == errc::access_denied);
  CHECK(!rig.process->impersonator().active());
  CHECK(credentials_now() == before);
  CHECK(read_code_of(*rig.process, files.secret) == errc::none);
}

TEST_CASE("another thread keeps the server's rights meanwhile") {
  if (!is_root()) return skip("needs root");
  three_files files;
  rig rig;
  const auto begin = rig.process->threads().make_event(), ready = rig.process->threads().make_event();
  errc other_reads = errc::io_error;
  std::jthread other([&] {
    ready->set();
    begin->wait(never);
    other_reads = read_code_of(*rig.process, files.secret);
    ready->set();
  });
  ready->wait(never);
  ready->reset();
  const bool entered = rig.process->impersonator().enter(client).has_value();
  begin->set();
  ready->wait(never);
  const errc own_reads = read_code_of(*rig.process, files.secret);
  if (entered) rig.process->impersonator().revert();
  other.join();
  CHECK(other_reads == errc::none);
  CHECK(own_reads == errc::access_denied);
}

TEST_CASE("a client of the kernel's word is impersonated, and files beneath a directory obey") {
  if (!is_root()) return skip("needs root");
  three_files files;
  child peer([&](const child::handle& parent) {
    parent.await();
    become({54321, 54321, {60000}});
    rig rig;
    const auto stream = rig.connect(files.directory / "a");
    parent.await();
    return stream != nullptr ? 0 : 1;
  });
  rig rig;
  auto request = request_for(files.directory / "a");
  request.access = access_policy::everyone_local();
  const auto bound = rig.bind(request);
  const auto acceptor = rig.open(bound);
  const auto root = rig.process->files().open_directory(files.directory.path()).value();
  peer.tell();
  test_accept op;
  rig.run(acceptor->accept(op), op);
  const bool entered = rig.process->impersonator().enter(op.stream->peer()).has_value();
  const auto owned = rig.process->files().read(root.get(), "owned", 1000);
  const auto secret = rig.process->files().read(root.get(), "secret", 1000);
  if (entered) rig.process->impersonator().revert();
  CHECK(entered);
  CHECK(owned == std::string("by owner"));
  REQUIRE(!secret);
  CHECK(secret.error() == errc::access_denied);
  CHECK(secret.error().subject() == "secret");
  peer.tell();
  CHECK(peer.wait() == 0);
}

TEST_CASE("impersonation does not nest") {
  if (!is_root()) return skip("needs root");
  rig rig;
  REQUIRE(rig.process->impersonator().enter(client));
  const auto nested = rig.process->impersonator().enter(identity_of({54322, 54322, {}}));
  const std::uint32_t user = ::geteuid();
  rig.process->impersonator().revert();
  REQUIRE(!nested);
  CHECK(nested.error() == errc::operation_in_progress);
  CHECK(user == 54321);
}

TEST_CASE("an identity that is unknown is denied") {
  rig rig;
  identity unknown = identity_of({::geteuid(), ::getegid(), {}});
  unknown.groups = {};
  const auto refused = rig.process->impersonator().enter(unknown);
  REQUIRE(!refused);
  CHECK(refused.error() == errc::impersonation_denied);
  CHECK(!rig.process->impersonator().active());
}

TEST_CASE("without the privilege another user is denied, with the reason, and nothing has changed") {
  if (!is_root()) return skip("needs root, to be another user");
  child server([&](const child::handle&) {
    become({54399, 54399, {}});
    rig rig;
    const std::string before = credentials_now();
    const auto refused = rig.process->impersonator().enter(client);
    if (refused || !(refused.error() == errc::impersonation_denied)) return 1;
    if (refused.error().subject().find("CAP_SETUID") == std::string_view::npos) return 2;
    if (rig.process->impersonator().check(client) || rig.process->features().impersonation) return 3;
    return credentials_now() == before && !rig.process->impersonator().active() ? 0 : 4;
  });
  CHECK(server.wait() == 0);
}

TEST_CASE("half of the privilege is none, and the missing half is named") {
  if (!is_root()) return skip("needs root");
  struct half {
    unsigned has;
    std::string lacks;
  };
  for (const half& row : {half{CAP_SETUID, "CAP_SETGID"}, half{CAP_SETGID, "CAP_SETUID"}}) {
    child server([&](const child::handle&) {
      set_capabilities(bit(row.has));
      rig rig;
      const std::string before = credentials_now();
      const auto refused = rig.process->impersonator().enter(client);
      if (refused || !(refused.error() == errc::impersonation_denied)) return 1;
      if (refused.error().subject().find("it lacks " + row.lacks) == std::string_view::npos) return 2;
      return credentials_now() == before ? 0 : 3;
    });
    CHECK(server.wait() == 0);
  }
}

TEST_CASE(
    "the own user is impersonated without privilege if the process has no more groups than the client") {
  if (!is_root()) return skip("needs root, to be another user");
  const auto enters = [](const user& server, const user& peer) {
    child process([&](const child::handle&) {
      become(server);
      rig rig;
      const std::string before = credentials_now();
      const auto entered = rig.process->impersonator().enter(identity_of(peer));
      if (!entered) return entered.error() == errc::impersonation_denied ? 1 : 2;
      const bool active = rig.process->impersonator().active();
      rig.process->impersonator().revert();
      return active && credentials_now() == before ? 0 : 3;
    });
    return process.wait();
  };
  CHECK(enters({54321, 54321, {60000}}, {54321, 54321, {60000, 60001}}) == 0);
  CHECK(enters({54321, 60001, {}}, {54321, 54321, {60001}}) == 0);
  CHECK(enters({54321, 54321, {60000, 60001}}, {54321, 54321, {60000}}) == 1);
  CHECK(enters({54321, 60002, {}}, {54321, 54321, {60000}}) == 1);
}

TEST_CASE("acting for the own user takes a capability that has nothing to do with it, and gives it back") {
  if (!is_root()) return skip("needs root, to be another user");
  const auto enters = [](const user& peer) {
    child server([&](const child::handle&) {
      ::prctl(PR_SET_KEEPCAPS, 1);
      become({54321, 54321, {60000}});
      set_capabilities(bit(CAP_NET_BIND_SERVICE));
      rig rig;
      const std::string before = credentials_now();
      if (before.find(no_effective_set) != std::string::npos) return 3;
      const auto entered = rig.process->impersonator().enter(identity_of(peer));
      if (!entered)
        return entered.error() == errc::impersonation_denied && credentials_now() == before ? 1 : 2;
      const std::string inside = credentials_now();
      rig.process->impersonator().revert();
      return inside.find(no_effective_set) != std::string::npos && credentials_now() == before ? 0 : 4;
    });
    return server.wait();
  };
  CHECK(enters({54321, 54321, {60000, 60001}}) == 0);
  CHECK(enters({54321, 54321, {}}) == 1);
  CHECK(enters({54322, 54321, {60000}}) == 1);
}

TEST_CASE("a server that is not root but may switch loses its other privileges inside") {
  if (!is_root()) return skip("needs root");
  three_files files;
  child server([&](const child::handle&) {
    ::prctl(PR_SET_KEEPCAPS, 1);
    become({54399, 54399, {}});
    set_capabilities(bit(CAP_SETUID) | bit(CAP_SETGID) | bit(CAP_DAC_OVERRIDE));
    rig rig;
    const std::string before = credentials_now();
    if (read_code_of(*rig.process, files.secret) != errc::none) return 1;
    if (!rig.process->impersonator().enter(client)) return 2;
    const errc owned = read_code_of(*rig.process, files.owned),
               secret = read_code_of(*rig.process, files.secret);
    rig.process->impersonator().revert();
    if (owned != errc::none || secret != errc::access_denied) return 3;
    return credentials_now() == before ? 0 : 4;
  });
  CHECK(server.wait() == 0);
}

TEST_CASE(
    "a switch after which the way back would be lost is denied, with the reason, and nothing has changed") {
  if (!is_root()) return skip("needs root");
  struct row {
    std::uint32_t real, effective, saved, peer;
    const char* reason;
  };
  for (const row& ids :
       {row{54399, 54399, 54399, 0, "capabilities"}, row{54399, 0, 54399, 54321, "lead back"},
        row{54399, 54398, 54399, 54321, "lead back"}, row{0, 54399, 0, 54321, "lead back"}}) {
    child server([&](const child::handle&) {
      ::prctl(PR_SET_KEEPCAPS, 1);
      if (::setresuid(ids.real, ids.effective, ids.saved) != 0) return 1;
      set_capabilities(bit(CAP_SETUID) | bit(CAP_SETGID));
      rig rig;
      const std::string before = credentials_now();
      const identity peer = identity_of({ids.peer, 54321, {60000}});
      const auto refused = rig.process->impersonator().enter(peer);
      if (refused || !(refused.error() == errc::impersonation_denied)) return 2;
      if (refused.error().subject().find(ids.reason) == std::string_view::npos) return 3;
      return credentials_now() == before && !rig.process->impersonator().check(peer) ? 0 : 4;
    });
    INFO(ids.real << ' ' << ids.effective << ' ' << ids.saved << ", client " << ids.peer);
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("a server with one id that is 0 acts for root and for others, and comes back") {
  if (!is_root()) return skip("needs root");
  for (const std::uint32_t peer : {0U, 54321U}) {
    child server([&](const child::handle&) {
      ::prctl(PR_SET_KEEPCAPS, 1);
      if (::setresuid(0, 54399, 54399) != 0) return 1;
      set_capabilities(bit(CAP_SETUID) | bit(CAP_SETGID));
      rig rig;
      const std::string before = credentials_now();
      if (!rig.process->impersonator().enter(identity_of({peer, 54321, {60001, 60000}}))) return 2;
      rig.process->impersonator().revert();
      return credentials_now() == before ? 0 : 3;
    });
    INFO("client " << peer);
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("a client that is root keeps the server's rights, with its own groups") {
  if (!is_root()) return skip("needs root");
  three_files files;
  rig rig;
  const std::string before = credentials_now();
  REQUIRE(rig.process->impersonator().enter(identity_of({0, 0, {60000}})));
  const errc secret = read_code_of(*rig.process, files.secret);
  rig.process->impersonator().revert();
  CHECK(secret == errc::none);
  CHECK(credentials_now() == before);
}

TEST_CASE("a user that was changed inside behind our back ends the process") {
  if (!is_root()) return skip("needs root");
  child server([&](const child::handle&) {
    ::close(STDERR_FILENO);
    rig rig;
    if (!rig.process->impersonator().enter(client)) return 1;
    ::syscall(SYS_setresuid, -1, 0, -1);
    rig.process->impersonator().revert();
    return 0;
  });
  CHECK(server.wait() == -SIGABRT);
}

TEST_CASE("in a user namespace that maps only its own user other clients are denied") {
  child server([&](const child::handle&) {
    if (::unshare(CLONE_NEWUSER) != 0) return 77;
    rig rig;
    const std::string before = credentials_now();
    const auto refused = rig.process->impersonator().enter(client);
    if (refused || !(refused.error() == errc::impersonation_denied)) return 1;
    return credentials_now() == before ? 0 : 2;
  });
  const int code = server.wait();
  if (code == 77) return skip("no user namespaces here");
  CHECK(code == 0);
}

TEST_CASE("a switch that fails halfway is rolled back") {
  if (!is_root()) return skip("needs root");
  // A namespace that maps the client's groups and not its user: setgroups and setresgid work there, setresuid
  // can't.
  child server([&](const child::handle& parent) {
    const bool separate = ::unshare(CLONE_NEWUSER) == 0;
    parent.tell();
    parent.await();
    if (!separate || ::geteuid() != 0) return 77;
    rig rig;
    const std::string before = credentials_now();
    const auto refused = rig.process->impersonator().enter(client);
    if (refused || !(refused.error() == errc::impersonation_denied)) return 1;
    if (refused.error().subject().find("not mapped") == std::string_view::npos) return 2;
    return credentials_now() == before ? 0 : 3;
  });
  server.await();
  const std::string entry = "/proc/" + std::to_string(server.pid());
  std::ofstream(entry + "/uid_map") << "0 0 1\n";
  std::ofstream(entry + "/gid_map") << "0 0 70000\n";
  server.tell();
  const int code = server.wait();
  if (code == 77) return skip("user namespaces cannot be mapped here");
  CHECK(code == 0);
}

}  // namespace tp::test
