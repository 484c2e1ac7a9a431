// Streams of descriptors that a program was given.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "platform_blocking_support.hpp"

namespace tp::test {
namespace {

struct two {
  int first, second;
};

two socket_pair(int type = SOCK_STREAM) {
  std::array<int, 2> made{};
  REQUIRE(::socketpair(AF_UNIX, type, 0, made.data()) == 0);
  return {made[0], made[1]};
}

two make_pipe() {
  std::array<int, 2> made{};
  REQUIRE(::pipe2(made.data(), O_CLOEXEC) == 0);
  return {made[0], made[1]};
}

backend::detached_ptr adopt(rig& on, int in, int out) {
  auto made = on.process->adopt(in, out);
  if (!made) FAIL(made.error().message());
  return std::move(*made);
}

errc refusal(rig& on, int in, int out) {
  const auto made = on.process->adopt(in, out);
  return made ? errc::none : made.error().code();
}

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

// A child that copies its standard input to its standard output; the parent's ends of both.
struct cat {
  cat() {
    const two down = make_pipe(), up = make_pipe();
    pid = ::fork();
    if (pid == 0) {
      ::dup2(down.first, 0);
      ::dup2(up.second, 1);
      ::execlp("cat", "cat", nullptr);
      ::_exit(127);
    }
    ::close(down.first);
    ::close(up.second);
    to = down.second;
    from = up.first;
  }
  ~cat() { ::waitpid(pid, nullptr, 0); }
  cat(const cat&) = delete;
  cat& operator=(const cat&) = delete;

  pid_t pid = -1;
  int to = -1, from = -1;
};

}  // namespace

TEST_CASE("one socket given is a stream with a peer, half-close and drain") {
  rig rig;
  const two ends = socket_pair();
  const auto one = rig.attach(adopt(rig, ends.first, ends.first));
  const auto other = rig.attach_blocking(adopt(rig, ends.second, ends.second));
  CHECK(one->peer().uid.value == ::geteuid());
  CHECK(write_all(rig, *one, "there") == errc::none);
  CHECK(read_some(rig, *other) == "there");
  CHECK(write_all(rig, *other, "back") == errc::none);
  CHECK(read_some(rig, *one) == "back");
  test_op ended, drained;
  rig.run(one->shutdown(ended), ended);
  rig.run(one->drain(drained), drained);
  CHECK(read_some(rig, *other).empty());
  CHECK((ended.code() == errc::none && drained.code() == errc::none));
}

TEST_CASE("two pipes to a program are one stream, and its half-close is the program's end of input") {
  for (const bool blocks : {false, true}) {
    rig rig;
    const cat program;
    const auto stream = blocks ? rig.attach_blocking(adopt(rig, program.from, program.to))
                               : rig.attach(adopt(rig, program.from, program.to));
    CHECK(!stream->peer().uid.known());
    CHECK(write_all(rig, *stream, "copied") == errc::none);
    CHECK(read_some(rig, *stream) == "copied");
    CHECK(write_all(rig, *stream, "last") == errc::none);
    test_op ended, drained;
    rig.run(stream->drain(drained), drained);
    CHECK(drained.code() == errc::not_supported);
    rig.run(stream->shutdown(ended), ended);
    CHECK(ended.code() == errc::none);
    CHECK(write_all(rig, *stream, "more") == errc::broken_pipe);
    CHECK(read_some(rig, *stream) == "last");
    CHECK(read_some(rig, *stream).empty());
  }
}

TEST_CASE("a socket given under two numbers ends one direction and keeps the other") {
  rig rig;
  const two ends = socket_pair();
  const auto stream = rig.attach(adopt(rig, ends.first, ::dup(ends.first)));
  const auto other = rig.attach(adopt(rig, ends.second, ends.second));
  test_op ended;
  rig.run(stream->shutdown(ended), ended);
  CHECK(read_some(rig, *other).empty());
  CHECK(write_all(rig, *other, "back") == errc::none);
  CHECK(read_some(rig, *stream) == "back");
}

TEST_CASE("more than a pipe holds goes through a program in both directions at once") {
  rig rig;
  const cat program;
  const auto stream = rig.attach(adopt(rig, program.from, program.to));
  test_write out(std::string(1 << 20, 'x'));
  const start answer = stream->write(out);
  std::size_t arrived = 0;
  while (arrived < 1 << 20) {
    const std::string part = read_some(rig, *stream, 1 << 16);
    REQUIRE(!part.empty());
    arrived += part.size();
  }
  rig.run(answer, out);
  CHECK((out.code() == errc::none && arrived == 1 << 20));
}

TEST_CASE("a pipe that nobody reads is broken_pipe and no signal, and one that was pending stays") {
  child writer([](const child::handle&) {
    ::signal(SIGPIPE, SIG_DFL);
    rig rig;
    for (const bool blocks : {false, true}) {
      std::array<int, 2> in{}, out{};
      if (::pipe(in.data()) != 0 || ::pipe(out.data()) != 0) return 1;
      ::close(out[0]);
      const auto stream =
          blocks ? rig.attach_blocking(adopt(rig, in[0], out[1])) : rig.attach(adopt(rig, in[0], out[1]));
      if (write_all(rig, *stream, "lost") != errc::broken_pipe) return 2;
    }
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &only, nullptr);
    ::raise(SIGPIPE);
    std::array<int, 2> in{}, out{};
    if (::pipe(in.data()) != 0 || ::pipe(out.data()) != 0) return 3;
    ::close(out[0]);
    const auto stream = rig.attach(adopt(rig, in[0], out[1]));
    if (write_all(rig, *stream, "lost") != errc::broken_pipe) return 4;
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGPIPE) == 1 ? 0 : 5;
  });
  CHECK(writer.wait() == 0);
}

TEST_CASE("a writer that waits learns that the reader of its pipe has gone") {
  rig rig;
  const two in = make_pipe(), out = make_pipe();
  const auto stream = rig.attach(adopt(rig, in.first, out.second));
  test_write large(std::string(1 << 20, 'x'));
  REQUIRE(stream->write(large) == start::pending);
  ::close(out.first);
  rig.finish(large);
  CHECK(large.code() == errc::broken_pipe);
  ::close(in.second);
}

TEST_CASE("operations on given pipes can be cancelled, end at their deadlines, and are closed") {
  rig rig;
  const two in = make_pipe(), out = make_pipe();
  auto stream = rig.attach(adopt(rig, in.first, out.second));
  test_read cancelled, late, closed;
  REQUIRE(stream->read(cancelled) == start::pending);
  stream->cancel(cancelled);
  rig.finish(cancelled);
  CHECK(cancelled.code() == errc::cancelled);
  late.deadline = rig.system->now() + 1ms;
  REQUIRE(stream->read(late) == start::pending);
  rig.finish(late);
  CHECK(late.code() == errc::timed_out);
  REQUIRE(stream->read(closed) == start::pending);
  stream.reset();
  rig.finish(closed);
  CHECK(closed.code() == errc::closed);
  CHECK((!is_open(in.first) && !is_open(out.second)));
  for (const int rest : {in.second, out.first}) ::close(rest);
}

TEST_CASE("a close from another thread wakes a blocked read of a given pipe") {
  rig rig;
  const two in = make_pipe(), out = make_pipe();
  const auto stream = rig.attach_blocking(adopt(rig, in.first, out.second));
  test_read read;
  std::jthread reader([&] { static_cast<void>(stream->read(read)); });
  std::this_thread::sleep_for(2ms);  // before or inside the read, the close ends it
  stream->close();
  reader.join();
  CHECK(read.code() == errc::closed);
  for (const int rest : {in.second, out.first}) ::close(rest);
}

TEST_CASE("a wait on given pipes is for the one that reads, the one that writes, or either") {
  rig rig;
  const two in = make_pipe(), out = make_pipe();
  const auto stream = rig.attach_blocking(adopt(rig, in.first, out.second));
  const auto wait = [&](backend::readiness what) { return stream->wait(what, time_point{}, nullptr).code; };
  CHECK(wait(backend::readiness::readable) == errc::timed_out);
  CHECK(wait(backend::readiness::either) == errc::none);
  test_write much(std::string(1 << 20, 'x'));
  much.deadline = time_point{};
  CHECK(stream->write(much) == start::done);
  CHECK(much.code() == errc::timed_out);
  CHECK(wait(backend::readiness::writable) == errc::timed_out);
  CHECK(wait(backend::readiness::either) == errc::timed_out);
  REQUIRE(::write(in.second, "x", 1) == 1);
  CHECK(wait(backend::readiness::either) == errc::none);
  CHECK(read_some(rig, *stream) == "x");
  for (const int rest : {in.second, out.first}) ::close(rest);
}

TEST_CASE("a half-close of given pipes ends a wait to write of another thread, and the reader has its end") {
  rig rig;
  const two in = make_pipe(), out = make_pipe();
  const auto stream = rig.attach_blocking(adopt(rig, in.first, out.second));
  test_write much(std::string(1 << 20, 'x'));
  much.deadline = time_point{};
  CHECK(stream->write(much) == start::done);
  errc to_write = errc::io_error, to_read = errc::io_error;
  const auto wait = [&](backend::readiness what) { return stream->wait(what, never, nullptr).code; };
  sleeper writer([&] { to_write = wait(backend::readiness::writable); });
  sleeper reader([&] { to_read = wait(backend::readiness::readable); });
  writer.until_asleep();
  reader.until_asleep();
  test_op ended;
  CHECK(stream->shutdown(ended) == start::done);
  writer.join();
  CHECK(to_write == errc::none);
  CHECK(write_all(rig, *stream, "more") == errc::broken_pipe);
  std::string all(much.n + 1, '.');
  CHECK(::read(out.first, all.data(), all.size()) == static_cast<ssize_t>(much.n));
  CHECK(::read(out.first, all.data(), all.size()) == 0);
  stream->close();
  reader.join();
  CHECK(to_read == errc::closed);
  for (const int rest : {in.second, out.first}) ::close(rest);
}

TEST_CASE("an interrupt and a close end waits on given pipes") {
  rig rig;
  const two in = make_pipe(), out = make_pipe();
  const auto stream = rig.attach_blocking(adopt(rig, in.first, out.second));
  const auto stop = std::move(*rig.process->make_interrupt());
  stop->raise();
  CHECK(stream->wait(backend::readiness::readable, never, stop.get()).code == errc::cancelled);
  errc told = errc::io_error;
  sleeper waiter([&] { told = stream->wait(backend::readiness::readable, never, nullptr).code; });
  waiter.until_asleep();
  stream->close();
  waiter.join();
  CHECK(told == errc::closed);
  for (const int rest : {in.second, out.first}) ::close(rest);
}

TEST_CASE("given pipes can be detached and attached elsewhere") {
  rig one;
  const two there = make_pipe(), back = make_pipe();
  const auto first = one.attach(adopt(one, there.first, back.second));
  rig other;
  const auto second = other.attach(first->detach());
  REQUIRE(::write(there.second, "x", 1) == 1);
  CHECK(read_some(other, *second) == "x");
  for (const int rest : {there.second, back.first}) ::close(rest);
}

TEST_CASE("given pipes that were half-closed can be detached and attached elsewhere, and lose nothing") {
  rig one;
  const two there = make_pipe(), back = make_pipe();
  const auto first = one.attach(adopt(one, there.first, back.second));
  test_op ended, again;
  one.run(first->shutdown(ended), ended);
  REQUIRE(::write(there.second, "x", 1) == 1);
  rig other;
  const auto second = other.attach(first->detach());
  CHECK(read_some(other, *second) == "x");
  CHECK(write_all(other, *second, "y") == errc::broken_pipe);
  other.run(second->shutdown(again), again);
  CHECK(again.code() == errc::none);
  for (const int rest : {there.second, back.first}) ::close(rest);
}

TEST_CASE("what cannot be a stream is invalid_argument, and closed all the same") {
  rig rig;
  temporary_directory directory;
  const std::string path = directory.file("file", "x");
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC), folder = ::open("/", O_RDONLY | O_CLOEXEC);
  CHECK(refusal(rig, file, file) == errc::invalid_argument);
  CHECK(refusal(rig, folder, folder) == errc::invalid_argument);
  CHECK(refusal(rig, -1, -1) == errc::invalid_argument);
  const int listening = plain_socket(directory / "socket", true);
  CHECK(refusal(rig, listening, listening) == errc::invalid_argument);
  const int alone = ::socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(refusal(rig, alone, alone) == errc::invalid_argument);
  const two datagrams = socket_pair(SOCK_DGRAM), pipe = make_pipe();
  CHECK(refusal(rig, datagrams.first, datagrams.second) == errc::invalid_argument);
  CHECK(refusal(rig, pipe.second, pipe.first) == errc::invalid_argument);  // the wrong way round
  for (const int given :
       {file, folder, listening, alone, datagrams.first, datagrams.second, pipe.first, pipe.second})
    CHECK(!is_open(given));
}

TEST_CASE("given descriptors leave none behind") {
  const std::size_t before = open_descriptors();
  {
    rig rig;
    const two in = make_pipe(), out = make_pipe();
    const auto stream = rig.attach(adopt(rig, in.first, out.second));
    test_op ended;
    rig.run(stream->shutdown(ended), ended);
    for (const int rest : {in.second, out.first}) ::close(rest);
  }
  CHECK(open_descriptors() == before);
}

}  // namespace tp::test
