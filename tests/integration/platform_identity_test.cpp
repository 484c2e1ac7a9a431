// Who the peer is: the kernel's word at both ends.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "platform_support.hpp"
#include "support/skip.hpp"

namespace tp::test {
namespace {

identity accept_one(rig& on, backend::acceptor& acceptor) {
  test_accept op;
  on.run(acceptor.accept(op), op);
  REQUIRE(op.stream != nullptr);
  return op.stream->peer();
}

std::shared_ptr<backend::bound_name> bind_for_all(rig& on, const std::string& path) {
  auto request = request_for(path);
  request.access = access_policy::everyone_local();
  return on.bind(request);
}

}  // namespace

TEST_CASE("each end sees the user, groups and process of the other") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory;
  child client([&](const child::handle& parent) {
    parent.await();
    become({54321, 54322, {60000, 60001}});
    rig rig;
    const auto stream = rig.connect(directory / "a");
    parent.await();
    if (stream == nullptr) return 1;
    const identity& server = stream->peer();
    return server.uid.may_authorise() && server.uid.value == 0 &&
                   server.pid.value == static_cast<std::uint32_t>(::getppid())
               ? 0
               : 2;
  });
  rig rig;
  const auto bound = bind_for_all(rig, directory / "a");
  const auto acceptor = rig.open(bound);
  client.tell();
  const identity peer = accept_one(rig, *acceptor);
  CHECK(peer.uid == fact<std::uint32_t>{54321, trust::authoritative});
  CHECK(peer.gid == fact<std::uint32_t>{54322, trust::authoritative});
  CHECK((peer.in_group(54322) && peer.in_group(60000) && peer.in_group(60001)));
  CHECK(!peer.in_group(0));
  CHECK(peer.pid == fact<std::uint32_t>{static_cast<std::uint32_t>(client.pid()), trust::advisory});
  CHECK(!peer.host.known());
  CHECK(!peer.is_superuser());
  client.tell();
  CHECK(client.wait() == 0);
}

TEST_CASE("the client's identity is that of its connect, whatever it becomes later") {
  if (!is_root()) return skip("needs root, to be another user");
  temporary_directory directory;
  child client([&](const child::handle& parent) {
    parent.await();
    rig rig;
    const auto stream = rig.connect(directory / "a");
    become({54321, 54321, {}});
    parent.tell();
    parent.await();
    return 0;
  });
  rig rig;
  const auto bound = bind_for_all(rig, directory / "a");
  const auto acceptor = rig.open(bound);
  client.tell();
  client.await();
  CHECK(accept_one(rig, *acceptor).is_superuser());
}

TEST_CASE("the peer's process handle tells when it has exited") {
  temporary_directory directory;
  child client([&](const child::handle& parent) {
    parent.await();
    rig rig;
    const auto stream = rig.connect(directory / "a");
    parent.await();
    return 0;
  });
  rig rig;
  if (!rig.process->features().exit_handle) return skip("this kernel has no SO_PEERPIDFD (Linux 6.5)");
  const auto bound = bind_for_all(rig, directory / "a");
  const auto acceptor = rig.open(bound);
  client.tell();
  const identity peer = accept_one(rig, *acceptor);
  REQUIRE(peer.process != nullptr);
  CHECK(!peer.process->exited());
  client.tell();
  CHECK(client.wait() == 0);
  CHECK(peer.process->exited());
}

TEST_CASE("a user that this namespace does not map is unknown, and may nothing") {
  const std::string name = "unix-abstract:twinpipe-unmapped-" + std::to_string(::getpid());
  child server([&](const child::handle& parent) {
    if (::unshare(CLONE_NEWUSER) != 0) return 77;
    rig rig;
    const auto bound = rig.bind(request_for(name));
    const auto acceptor = rig.open(bound);
    parent.tell();
    const identity peer = accept_one(rig, *acceptor);
    const bool unknown = !peer.uid.known() && !peer.gid.known();
    return unknown && !rig.process->self().uid.known() && !peer.same_user(rig.process->self()) ? 0 : 1;
  });
  server.await();
  rig rig;
  const auto client = rig.connect(name);
  const int code = server.wait();
  if (code == 77) return skip("no user namespaces here");
  CHECK(code == 0);
}

TEST_CASE("where all users are mapped, 65534 is a user like others") {
  if (!is_root()) return skip("needs root, to be another user");
  child nobody([&](const child::handle&) {
    become({65534, 65534, {}});
    rig rig;
    return rig.process->self().uid.may_authorise() ? 0 : 1;
  });
  CHECK(nobody.wait() == 0);
}

TEST_CASE("own identity is what the kernel says, and features say what this process can do") {
  rig rig;
  const identity& self = rig.process->self();
  CHECK(self.uid == fact<std::uint32_t>{::geteuid(), trust::authoritative});
  CHECK(self.gid == fact<std::uint32_t>{::getegid(), trust::authoritative});
  CHECK(self.pid.value == static_cast<std::uint32_t>(::getpid()));
  const backend::capabilities features = rig.process->features();
  CHECK((features.half_close && features.drain && features.exact_write && features.threads &&
         features.given_handles));
  CHECK(!features.kernel_instances);
}

}  // namespace tp::test
