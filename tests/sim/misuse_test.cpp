// Mistakes of a program that would end in a mess on a real system: here they end the program at once.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;

TEST_CASE("two reads, writes or accepts at a time on one object abort") {
  const std::string expected = "twinpipe: two operations of a kind were started on one stream or acceptor\n";
  duplex pair;
  CHECK(last_words([&] {
          reading a, b;
          pair.far->read(a);
          pair.far->read(b);
        }) == expected);
  CHECK(last_words([&] {
          writing a(std::string(300'000, 'x')), b("x");
          pair.far->write(a);
          pair.far->write(b);
        }) == expected);
  CHECK(last_words([&] {
          accepting a, b;
          pair.acceptor->accept(a);
          pair.acceptor->accept(b);
        }) == expected);
}

TEST_CASE("a read and a write at a time are no mistake, and neither are two sleeps") {
  duplex pair;
  reading read;
  writing write(std::string(300'000, 'x'));
  waiting one, two;
  one.deadline = two.deadline = time_point{} + std::chrono::seconds(1);
  CHECK(pair.far->read(read) == start::pending);
  CHECK(pair.far->write(write) == start::pending);
  CHECK(pair.server.system->sleep(one) == start::pending);
  CHECK(pair.server.system->sleep(two) == start::pending);
  pair.world.kill(*pair.server.process);
  pair.server.poll();
}

TEST_CASE("a completion that turns its own world aborts") {
  duplex pair;
  waiting op;
  op.then = [&] { pair.client.poll(); };
  pair.server.system->schedule(op);
  CHECK(last_words([&] { pair.server.poll(); }) == "twinpipe: a completion must not turn its own world\n");
  op.then = nullptr;
  pair.server.poll();
}

TEST_CASE("a revert without an impersonation aborts") {
  duplex pair;
  CHECK(last_words([&] { pair.server.process->impersonator().revert(); }) ==
        "twinpipe: impersonation cannot be undone: there is none\n");
}

TEST_CASE("a system that is destroyed with operations pending, or before its streams, aborts") {
  const std::string pending = "twinpipe: a system was destroyed while operations were pending\n";
  duplex pair;
  CHECK(last_words([&] {
          waiting nap;
          pair.server.system->sleep(nap);
          pair.server.system.reset();
        }) == pending);
  CHECK(last_words([&] {
          reading read;
          pair.far->read(read);
          pair.far->close();
          pair.acceptor.reset();
          pair.server.system.reset();
        }) == pending);
  CHECK(last_words([&] { pair.server.system.reset(); }) ==
        "twinpipe: a system was destroyed before a stream or acceptor on it\n");
}

TEST_CASE("a process that isn't simulated can't be killed") {
  struct other final : backend::process {
    capabilities features() const noexcept override { return {}; }
    const identity& self() const noexcept override { return self_; }
    backend::names& names() noexcept override { std::abort(); }
    backend::files& files() noexcept override { std::abort(); }
    backend::impersonator& impersonator() noexcept override { std::abort(); }
    backend::threads& threads() noexcept override { std::abort(); }
    result<std::unique_ptr<backend::system>> make_system(const system_options&) override { std::abort(); }
    result<blocking_stream_ptr> attach_blocking(detached_ptr) override { std::abort(); }
    result<std::unique_ptr<backend::interrupt>> make_interrupt() override { std::abort(); }
    result<detached_ptr> adopt(native_handle, native_handle) override { std::abort(); }
    void log(std::string_view) noexcept override {}
    identity self_;
  };
  sim::world world;
  other real;
  CHECK(last_words([&] { world.kill(real); }) ==
        "twinpipe: kill() of a process that is in no simulated world\n");
}

}  // namespace tp::test
