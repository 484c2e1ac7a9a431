// Handles: what moving them leaves behind, what a callable that runs as the client may do to them, and how a
// runtime gets rid of what lives on it.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "async/connection_state.hpp"
#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using trompeloeil::_;

/// What can be awaited by nothing but an operator.
namespace operators {
struct with_member {
  struct awaiter {
    bool await_ready();
  };
  awaiter operator co_await();
};
struct with_function {
  friend with_member::awaiter operator co_await(with_function);
};
}  // namespace operators

namespace {

using operators::with_function, operators::with_member;

core::terms served() {
  core::terms terms = core_rig::messages();
  terms.server = true;
  terms.level = impersonation_level::impersonation;
  return terms;
}

static_assert(detail::resumable<with_member> && detail::resumable<with_function>);
static_assert(detail::resumable<task<int>> && detail::resumable<task<int>&>);
static_assert(detail::resumable<awaitable<result<void>>>);
static_assert(!detail::resumable<void> && !detail::resumable<int> && !detail::resumable<result<int>>);

}  // namespace

TEST_CASE("a buffer that was moved from is empty and can be used again") {
  buffer first(100);
  first.append(bytes_of("contents"));
  buffer second(std::move(first));
  CHECK((second.text() == "contents" && first.empty() && first.capacity() == 0 && first.spare().empty()));
  first.append(bytes_of("new"));
  CHECK((first.text() == "new" && second.text() == "contents"));
  second = std::move(first);
  CHECK((second.text() == "new" && first.empty() && first.capacity() == 0));
  buffer& same = second;
  second = std::move(same);
  first = buffer();
  CHECK((first.spare().empty() && second.text() == "new"));
}

TEST_CASE("assigning to a connection ends the one it was, at once") {
  core_rig rig;
  played_stream& one = rig.stream();
  played_stream& other = rig.stream();
  connection current = rig.connect(one, core_rig::messages());
  connection next = rig.connect(other, core_rig::messages());
  got receive;
  buffer into;
  rig.go(current.receive(into), receive);
  current = std::move(next);
  CHECK((one.closed && !other.closed));
  rig.settle();
  CHECK((receive.code() == errc::closed && one.released && !other.released));
  connection& same = current;
  current = std::move(same);
  CHECK_FALSE(other.closed);
}

TEST_CASE("a callable that runs as the client may move or destroy the handle it was called on") {
  for (const bool destroy : {true, false}) {
    core_rig rig;
    std::optional<connection> c(rig.connect(rig.stream(), served()));
    std::optional<connection> taken;
    REQUIRE_CALL(rig.impersonator, enter(_)).RETURN(result<void>());
    REQUIRE_CALL(rig.impersonator, revert());
    const auto f = [&] {
      if (!destroy) taken.emplace(std::move(*c));
      c.reset();
    };
    CHECK(c->run_as_client(f).has_value());
  }
}

TEST_CASE("inside run_as_client the thread's other runtimes refuse too") {
  core_rig rig;
  connection c = rig.connect(rig.stream(), served());
  detail::runtime_state second(*rig.owner, std::make_unique<paper_system>());
  played_stream& stream = rig.stream();
  FORBID_CALL(stream.mock, write(_));
  connection elsewhere(
      detail::connection_state::make(second, stream.pointer(), served(), make_text("'test'"), {}));
  REQUIRE_CALL(rig.impersonator, enter(_)).LR_SIDE_EFFECT(rig.impersonating = true).RETURN(result<void>());
  REQUIRE_CALL(rig.impersonator, revert()).LR_SIDE_EFFECT(rig.impersonating = false);
  const auto inside = [&] {
    awaited<send_result> sent;
    rig.go(elsewhere.send("x"), sent);
    CHECK((sent.at_once && sent.code() == errc::not_while_impersonating));
    CHECK(elsewhere.run_as_client([] {}).error() == errc::not_while_impersonating);
  };
  CHECK(c.run_as_client(inside).has_value());
}

TEST_CASE("a runtime that ends evicts everybody, those included that evictions make") {
  struct guest : detail::resident {
    guest(detail::runtime_state& at, int& count, int makes)
        : resident(at), where(at), evictions(count), children(makes) {
      retain();
    }
    void evict() noexcept override {
      ++evictions;
      for (int i = 0; i < children; ++i) new guest(where, evictions, 0);
      release();
    }
    detail::runtime_state& where;
    int& evictions;
    int children;
  };
  core_rig rig;
  int evictions = 0;
  for (int i = 0; i < 3; ++i) new guest(*rig.runtime, evictions, 2);
  rig.runtime.reset();
  CHECK(evictions == 9);
}
