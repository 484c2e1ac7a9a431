// Processes and connected pairs for the tests of the simulated twin.
#include "rig.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

namespace tp::test {

using namespace backend;

std::string last_words(const std::function<void()>& body, int signal) {
  std::array<int, 2> ends;
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(signal, SIG_DFL);
    ::alarm(20);
    ::dup2(ends[1], STDERR_FILENO);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 256> part;
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
    said.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == signal ? said : "";
}

endpoint_name named(std::string_view text) {
  auto name = endpoint_name::parse(text);
  REQUIRE(name);
  return *name;
}

bind_request request(std::string_view name, access_policy::audience who) {
  using enum access_policy::audience;
  bind_request made{.name = named(name), .runtime_directory = {}, .access = {}};
  if (who == group) made.access = access_policy::group(50);
  if (who == users) made.access = access_policy::users({50});
  if (who == everyone_local) made.access = access_policy::everyone_local();
  return made;
}

host::host(sim::world& world, std::string name, sim::user_id user)
    : process(world.make_process(std::move(name), user)), system(*process->make_system()) {}

result<std::shared_ptr<bound_name>> host::try_bind(bind_request wanted) const {
  return process->names().bind(wanted);
}

std::shared_ptr<bound_name> host::bind(std::string_view name, int backlog) const {
  auto wanted = request(name, access_policy::audience::same_user);
  wanted.backlog = backlog;
  auto bound = try_bind(wanted);
  REQUIRE(bound);
  return *bound;
}

acceptor_ptr host::open(const std::shared_ptr<bound_name>& name) const {
  auto opened = system->open(name);
  REQUIRE(opened);
  return std::move(*opened);
}

detached_ptr host::connect(std::string_view text) {
  const endpoint_name name = named(text);
  probe<connect_op> op;
  op.name = &name;
  REQUIRE(system->connect(op) == start::done);
  code = op.code();
  detail = op.detail ? *op.detail : "";
  return std::move(op.stream);
}

stream_ptr host::attach(detached_ptr stream) const {
  auto attached = system->attach(std::move(stream), attachment::established);
  REQUIRE(attached);
  return std::move(*attached);
}

duplex::duplex()
    : user(world.user("alice")),
      server(world, "server", user),
      client(world, "client", user),
      name(server.bind("pair")),
      acceptor(server.open(name)),
      near(client.attach(client.connect("pair"))) {
  accepting taken;
  REQUIRE(acceptor->accept(taken) == start::done);
  far = server.attach(std::move(taken.stream));
}

std::string duplex::take(byte_stream& from, std::size_t room) const {
  reading op(room);
  if (from.read(op) == start::pending) {
    from.cancel(op);
    REQUIRE(server.poll() == turn_result::progressed);
    REQUIRE(op.code() == errc::cancelled);
    return "nothing";
  }
  if (op.code() == errc::connection_reset) return "reset";
  REQUIRE(op.code() == errc::none);
  return op.n == 0 ? "end" : op.text();
}

errc duplex::put(byte_stream& to, std::string_view text) {
  writing op(text);
  REQUIRE(to.write(op) == start::done);
  return op.code();
}

}  // namespace tp::test
