// What a blocking call costs in calls of the kernel, and what becomes of the socket's flags and timeouts.
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "platform_blocking_support.hpp"
#include "support/skip.hpp"
#include "system_calls.hpp"

namespace tp::test {
namespace {

using use = std::function<void(blocking_rig&)>;

// Of a client whose peer has written ten bytes.
std::string calls_of(const use& piece, const use& before = [](blocking_rig&) {}) {
  return system_calls([&](const traced_piece& trace) {
    blocking_rig rig;
    if (write_all(rig, *rig.server, "therethere") != errc::none) ::_exit(2);
    before(rig);
    trace([&] { piece(rig); });
  });
}

void read_five(blocking_rig& on, time_point deadline = never, errc expected = errc::none) {
  test_read in(5);
  in.deadline = deadline;
  if (on.client->read(in) != start::done || in.code() != expected) ::_exit(3);
}

void write_five(blocking_rig& on, time_point deadline = never) {
  test_write out("hello");
  out.deadline = deadline;
  if (on.client->write(out) != start::done || out.code() != errc::none) ::_exit(4);
}

void send_descriptor(int socket, int sent) {
  char byte = 'x';
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof sent)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr& head = *CMSG_FIRSTHDR(&message);
  head.cmsg_level = SOL_SOCKET;
  head.cmsg_type = SCM_RIGHTS;
  head.cmsg_len = CMSG_LEN(sizeof sent);
  std::memcpy(CMSG_DATA(&head), &sent, sizeof sent);
  REQUIRE(::sendmsg(socket, &message, 0) == 1);
}

time_point soon(blocking_rig& on) {
  return on.process->threads().now() + 5s;
}

}  // namespace

TEST_CASE("a blocking read or write is one system call") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  CHECK(calls_of([](blocking_rig& rig) { read_five(rig); }) == "recv");
  CHECK(calls_of([](blocking_rig& rig) { write_five(rig); }) == "send");
  const auto write = [](std::vector<std::string> texts) {
    return [texts](blocking_rig& rig) {
      test_write out(texts);
      if (rig.client->write(out) != start::done || out.code() != errc::none) ::_exit(5);
    };
  };
  CHECK(calls_of(write({"header", "", "text"})) == "send");
  CHECK(calls_of(write({"header", std::string(5000, 'x')})) == "sendmsg");
}

TEST_CASE("a blocking read or write with a deadline is one system call, but for the first that sleeps") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  const use read = [](blocking_rig& rig) { read_five(rig, soon(rig)); };
  const use write = [](blocking_rig& rig) { write_five(rig, soon(rig)); };
  CHECK(calls_of(read) == "setsockopt recv");
  CHECK(calls_of(read, read) == "recv");
  CHECK(calls_of(write) == "send");
}

TEST_CASE("the kernel's timeout is set again for a deadline that is much nearer or much farther") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  const auto within = [](duration length) {
    return [length](blocking_rig& rig) { read_five(rig, rig.process->threads().now() + length); };
  };
  CHECK(calls_of(within(1s), within(5s)) == "setsockopt recv");
  CHECK(calls_of(within(5s), within(1s)) == "setsockopt recv");
  CHECK(calls_of(within(4500ms), within(5s)) == "recv");
  CHECK(calls_of(within(1ms), within(5s)) == "recv");  // which is but a try
}

TEST_CASE("a blocking read without a deadline takes the timeout of the one before away, once") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  const auto with_deadline = [](blocking_rig& rig) { read_five(rig, soon(rig)); };
  CHECK(calls_of([](blocking_rig& rig) { read_five(rig); }, with_deadline) == "setsockopt recv");
  CHECK(calls_of([](blocking_rig& rig) { write_five(rig); }, with_deadline) == "send");
}

TEST_CASE("a blocking try, whose deadline has passed, is one system call whether it succeeds or not") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  static constexpr time_point passed = time_point::min();
  const use read = [](blocking_rig& rig) { read_five(rig, passed); };
  const use read_all = [](blocking_rig& rig) { read_five(rig), read_five(rig); };
  CHECK(calls_of(read) == "recv");
  CHECK(calls_of([](blocking_rig& rig) { read_five(rig, passed, errc::timed_out); }, read_all) == "recv");
  const auto write_much = [](blocking_rig& rig) {
    test_write much(std::string(1 << 20, 'x'));
    much.deadline = passed;
    if (rig.client->write(much) != start::done || much.code() != errc::timed_out) ::_exit(5);
  };
  CHECK(calls_of(write_much) == "send");
  CHECK(calls_of([](blocking_rig& rig) { write_five(rig, passed); }) == "send");
}

TEST_CASE("a wait is one system call, and so is raising or lowering an interrupt that wasn't so already") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  for (const auto what : {backend::readiness::readable, backend::readiness::either}) {
    CHECK(calls_of([what](blocking_rig& rig) {
            if (!rig.blocking().wait(what, soon(rig), nullptr).ok()) ::_exit(5);
          }) == "poll");
  }
  std::unique_ptr<backend::interrupt> stop;
  const use make = [&](blocking_rig& rig) { stop = *rig.process->make_interrupt(); };
  CHECK(calls_of([&](blocking_rig&) { stop->raise(), stop->raise(); }, make) == "write");
  CHECK(calls_of([&](blocking_rig&) { stop->lower(); }, make).empty());
  const use raise = [&](blocking_rig& rig) { make(rig), stop->raise(); };
  CHECK(calls_of([&](blocking_rig&) { stop->lower(), stop->lower(); }, raise) == "read");
}

TEST_CASE("a blocking stream of a given socket leaves its flags and timeouts to the others who have it") {
  for (const int flags : {0, int{SOCK_NONBLOCK}}) {
    rig rig;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends.data()) == 0);
    const int others = ::dup(ends[0]), before = ::fcntl(others, F_GETFL);
    const auto stream = rig.attach_blocking(*rig.process->adopt(ends[0], ends[0]));
    test_read late;
    late.deadline = rig.process->threads().now() + 50ms;
    CHECK(stream->read(late) == start::done);
    CHECK(late.code() == errc::timed_out);
    test_read in;
    sleeper reader([&] { static_cast<void>(stream->read(in)); });
    reader.until_asleep();
    CHECK(::write(ends[1], "there", 5) == 5);
    reader.join();
    CHECK(in.text() == "there");
    timeval timeout{};
    socklen_t size = sizeof timeout;
    CHECK(::getsockopt(others, SOL_SOCKET, SO_RCVTIMEO, &timeout, &size) == 0);
    CHECK((timeout.tv_sec == 0 && timeout.tv_usec == 0));
    CHECK(::fcntl(others, F_GETFL) == before);
    for (const int rest : {others, ends[1]}) ::close(rest);
  }
}

TEST_CASE("a descriptor that a peer sends along with data is closed by a blocking read") {
  rig rig;
  temporary_directory directory;
  const int listening = plain_socket(directory / "server", true);
  const auto stream = rig.attach_blocking(rig.connect(directory / "server"));
  const int peer = ::accept(listening, nullptr, nullptr);
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  for (const std::size_t spill : {0U, 8U}) {
    send_descriptor(peer, pipe[1]);
    test_read in(4, spill);
    CHECK(stream->read(in) == start::done);
    CHECK(in.n == 1);
  }
  ::close(pipe[1]);
  char byte = 0;
  CHECK(::read(pipe[0], &byte, 1) == 0);  // nobody else has the writing end
  for (const int rest : {listening, peer, pipe[0]}) ::close(rest);
}

}  // namespace tp::test
