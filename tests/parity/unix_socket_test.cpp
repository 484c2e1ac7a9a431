// What the model has beyond a kernel's sockets: limits of a call, spans, whom it wakes, its memory.
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sim/unix_socket.hpp"

namespace tp::test::parity {

namespace {

using sim::unix_socket;
namespace wake = sim::wake;

/// Counts what is taken from it.
class counted_memory final : public std::pmr::memory_resource {
 public:
  std::size_t taken = 0;

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    taken += size;
    return std::pmr::new_delete_resource()->allocate(size, alignment);
  }
  void do_deallocate(void* at, std::size_t size, std::size_t alignment) override {
    taken -= size;
    std::pmr::new_delete_resource()->deallocate(at, size, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
};

struct rig {
  counted_memory memory;
  sim::unix_sockets kernel{memory};
  std::pair<unix_socket&, unix_socket&> ends = kernel.open_pair();
  unix_socket& near = ends.first;
  unix_socket& far = ends.second;

  static unix_socket::bytes bytes(const std::string& text) { return std::as_bytes(std::span(text)); }
  static std::string take(unix_socket& from, std::size_t limit) {
    std::string got(100, '.');
    const std::array parts{std::as_writable_bytes(std::span(got)).first(2),
                           std::as_writable_bytes(std::span(got)).subspan(2)};
    const auto n = from.recv(parts, limit);
    return n ? got.substr(0, *n) : "error";
  }
};

}  // namespace

TEST_CASE("a call moves as many bytes as its caller lets it, over all spans") {
  rig r;
  const std::string one = "abc", other = "defg";
  const std::array parts{rig::bytes(one), unix_socket::bytes{}, rig::bytes(other)};
  CHECK(r.near.send(parts, 6) == 6U);
  CHECK(r.far.inq() == 6);
  CHECK(rig::take(r.far, 1) == "a");
  CHECK(rig::take(r.far, 3) == "bcd");
  CHECK(rig::take(r.far, unix_socket::all) == "ef");
  CHECK(rig::take(r.far, unix_socket::all) == "error");
}

TEST_CASE("only a socket that is watched is told of, once, with all that has changed") {
  rig r;
  r.near.watch(wake::readable);
  (void)r.far.send(rig::bytes("x"));
  (void)r.near.send(rig::bytes("x"));
  r.far.watch(wake::readable | wake::writable);
  CHECK(rig::take(r.near, 1) == "x");
  (void)r.near.send(rig::bytes("y"));
  const auto first = r.kernel.take_woken(), second = r.kernel.take_woken();
  CHECK((first.socket == &r.near && first.changes == wake::readable));
  CHECK((second.socket == &r.far && second.changes == (wake::readable | wake::writable)));
  CHECK(r.kernel.take_woken().socket == nullptr);
}

TEST_CASE("a socket that is closed is not told of, nor is the next one in its place") {
  rig r;
  r.near.watch(wake::readable);
  r.far.watch(wake::readable);
  (void)r.far.send(rig::bytes("x"));
  r.near.close();
  (void)r.kernel.open();
  CHECK(r.kernel.take_woken().socket == &r.far);
  CHECK(r.kernel.take_woken().socket == nullptr);
}

TEST_CASE("an urgent byte that a read has skipped is not there to be read") {
  rig r;
  (void)r.near.send_urgent(rig::bytes("x"));
  CHECK(r.far.inq() == 1);
  CHECK(rig::take(r.far, 1) == "error");
  CHECK(r.far.inq() == 0);
}

TEST_CASE("a listener tells of room in its backlog") {
  rig r;
  unix_socket &listener = r.kernel.open(), &client = r.kernel.open(), &late = r.kernel.open();
  CHECK(listener.listen(0) == std::errc{});
  listener.watch(wake::readable | wake::room);
  unix_socket* const queued = client.connect(listener).value();
  CHECK(r.kernel.take_woken().changes == wake::readable);
  CHECK(late.connect(listener).error() == std::errc::resource_unavailable_try_again);
  CHECK(listener.first_queued() == queued);
  CHECK(listener.accept() == queued);
  CHECK(r.kernel.take_woken().changes == wake::room);
  CHECK(late.connect(listener).has_value());
  CHECK(r.kernel.take_woken().changes == wake::readable);
  CHECK(listener.listen(0) == std::errc{});
  CHECK(r.kernel.take_woken().socket == nullptr);
  CHECK(listener.listen(1) == std::errc{});
  CHECK(r.kernel.take_woken().changes == wake::room);
}

TEST_CASE("both ends of an idle connection take at most 300 bytes") {
  rig r;
  const std::size_t before = r.memory.taken;
  constexpr std::size_t pairs = 10'000;
  for (std::size_t i = 0; i < pairs; ++i) (void)r.kernel.open_pair();
  // Its memory grows by half each time, so that a part of the last piece is still free.
  CHECK((r.memory.taken - before) / pairs <= 450);
  CHECK(2 * sizeof(unix_socket) <= 300);
}

TEST_CASE("a connection that is empty holds no memory, whatever it held") {
  rig r;
  const std::string large(300'000, 'x');
  std::vector<std::byte> room(large.size());
  std::size_t after_the_first = 0;
  for (int i = 0; i < 50; ++i) {
    const auto [one, other] = r.kernel.open_pair();
    const std::size_t n = one.send(rig::bytes(large)).value();
    CHECK(other.recv(room) == n);
    if (i == 0) after_the_first = r.memory.taken;
  }
  CHECK(r.memory.taken - after_the_first < 50'000);  // the sockets themselves
}

TEST_CASE("what is closed is used again, with all it held") {
  rig r;
  const std::string some(5000, 'x');
  std::size_t after_the_first = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto [one, other] = r.kernel.open_pair();
    (void)one.send(rig::bytes(some));
    (void)other.send(rig::bytes(some));
    one.close();
    other.close();
    if (i == 0) after_the_first = r.memory.taken;
  }
  CHECK(r.memory.taken == after_the_first);
}

}  // namespace tp::test::parity
