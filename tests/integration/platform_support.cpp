// Helpers for the tests of the real twin.
#include "platform_support.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "../../platform/process.hpp"

namespace tp::test {

std::string test_read::text() const {
  const char* first = reinterpret_cast<const char*>(buffer.data());
  const std::size_t in_first = std::min(n, buffer.size());
  std::string out(first, in_first);
  return out.append(reinterpret_cast<const char*>(more.data()), n - in_first);
}

test_write::test_write(std::vector<std::string> given) : texts(std::move(given)) {
  for (const std::string& text : texts) elements.push_back(std::as_bytes(std::span(text)));
  buffers = elements;
}

temporary_directory::temporary_directory(mode_t mode) : path_("/tmp/twinpipe-test-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr || ::chmod(path_.c_str(), mode) != 0) std::abort();
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string temporary_directory::file(std::string_view name, std::string_view content, mode_t mode) const {
  std::string path = *this / name;
  std::ofstream(path) << content;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

endpoint_name name_of(std::string_view text) {
  return endpoint_name::parse(text).value();
}

backend::bind_request request_for(std::string_view name) {
  return {.name = name_of(name), .runtime_directory = {}};
}

rig::rig() : process(platform::make_process().value()), system(process->make_system().value()) {}

void rig::turn_until(const std::function<bool()>& holds) {
  const time_point limit = system->now() + 5s;
  while (!holds()) {
    if (system->now() > limit) FAIL("what was waited for did not happen");
    static_cast<void>(system->turn(std::min(limit, system->now() + 50ms)));
  }
}

backend::stream_ptr rig::attach(backend::detached_ptr stream, backend::attachment how) {
  return system->attach(std::move(stream), how).value();
}

backend::blocking_stream_ptr rig::attach_blocking(backend::detached_ptr stream) {
  return process->attach_blocking(std::move(stream)).value();
}

std::shared_ptr<backend::bound_name> rig::bind(const backend::bind_request& request) {
  auto bound = process->names().bind(request);
  if (!bound) FAIL(bound.error().message());
  return *bound;
}

backend::acceptor_ptr rig::open(const std::shared_ptr<backend::bound_name>& name) {
  return system->open(name).value();
}

backend::detached_ptr rig::connect(std::string_view name, std::string_view directory) {
  const endpoint_name parsed = name_of(name);
  test_connect op;
  op.name = &parsed;
  op.runtime_directory = directory;
  run(system->connect(op), op);
  return std::move(op.stream);
}

connection_rig::connection_rig(bool client_blocks) {
  const std::string path = directory / "pair";
  const auto bound = bind(request_for(path));
  const auto acceptor = open(bound);
  client = client_blocks ? attach_blocking(connect(path)) : attach(connect(path));
  test_accept accepted;
  run(acceptor->accept(accepted), accepted);
  server = attach(std::move(accepted.stream));
}

std::string read_some(rig& on, backend::byte_stream& stream, std::size_t size) {
  test_read op(size);
  on.run(stream.read(op), op);
  return op.text();
}

errc read_code(rig& on, backend::byte_stream& stream) {
  test_read op;
  on.run(stream.read(op), op);
  return op.code();
}

errc write_all(rig& on, backend::byte_stream& stream, std::string text) {
  test_write op(std::move(text));
  on.run(stream.write(op), op);
  return op.code();
}

int plain_socket(const std::string& path, bool listening) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  if (listening) REQUIRE(::listen(socket, 8) == 0);
  return socket;
}

void become(const user& who) {
  if (::setgroups(who.groups.size(), who.groups.data()) != 0 || ::setresgid(who.gid, who.gid, who.gid) != 0 ||
      ::setresuid(who.uid, who.uid, who.uid) != 0)
    ::_exit(99);
}

void child::handle::tell() const {
  const char byte = '!';
  if (::write(out_, &byte, 1) != 1) ::_exit(98);
}

// The end of the other side counts: a test that failed lets its child go.
void child::handle::await() const {
  char byte;
  [[maybe_unused]] const ssize_t ignored = ::read(in_, &byte, 1);
}

child::child(const std::function<int(const handle&)>& body) {
  std::array<int, 2> down, up;
  if (::pipe2(down.data(), O_CLOEXEC) != 0 || ::pipe2(up.data(), O_CLOEXEC) != 0) std::abort();
  std::cout.flush();  // or the child would print it again
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(down[1]);
    ::close(up[0]);
    for (const int caught : {SIGTERM, SIGABRT, SIGSEGV})
      ::signal(caught, SIG_DFL);  // Catch2's would report here too
    ::alarm(20);
    try {
      ::_exit(body(handle(down[0], up[1])));
    } catch (...) {
      ::_exit(97);
    }
  }
  ::close(down[0]);
  ::close(up[1]);
  descriptors_[0] = up[0];
  descriptors_[1] = down[1];
  ours_ = handle(up[0], down[1]);
}

child::~child() {
  if (pid_ > 0) wait();
}

int child::wait() {
  for (int& descriptor : descriptors_) ::close(descriptor);
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool is_root() {
  return ::geteuid() == 0;
}

void allow_more_descriptors(unsigned count) {
  // Numbers that are free below the highest one in use would come first.
  const int highest = ::fcntl(0, F_DUPFD, 0);
  ::close(highest);
  const rlimit tight{static_cast<rlim_t>(highest) + count, static_cast<rlim_t>(highest) + count};
  if (highest < 0 || ::setrlimit(RLIMIT_NOFILE, &tight) != 0) ::_exit(95);
}

std::size_t open_descriptors() {
  rig first_loop;  // with a process's first, libuv makes descriptors that stay
  first_loop.system.reset();
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::ranges::distance(all));
}

}  // namespace tp::test
