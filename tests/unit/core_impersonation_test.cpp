// run_as_client over a mocked impersonator: who may, what is called, and what is refused inside.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>
#include <stdexcept>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using trompeloeil::_;

namespace {

core::terms served(impersonation_level level) {
  core::terms terms = core_rig::messages();
  terms.server = true;
  terms.level = level;
  return terms;
}

}  // namespace

TEST_CASE("a callable runs between one enter and one revert, and its result is handed on flat") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, served(impersonation_level::impersonation));
  for (int i = 0; i < 3; ++i) {
    trompeloeil::sequence order;
    REQUIRE_CALL(rig.impersonator, enter(_))
        .WITH(_1.uid.value == 1000)
        .IN_SEQUENCE(order)
        .RETURN(result<void>());
    REQUIRE_CALL(rig.impersonator, revert()).IN_SEQUENCE(order);
    if (i == 0) CHECK(c.run_as_client([] { return 7; }) == 7);
    if (i == 1)
      CHECK(c.run_as_client([]() -> result<int> { return fail(errc::not_found); }).error() ==
            errc::not_found);
    if (i == 2) CHECK(c.run_as_client([] {}).has_value());
  }
}

TEST_CASE("an exception passes after the own identity is back") {
  core_rig rig;
  connection c = rig.connect(rig.stream(), served(impersonation_level::delegation));
  REQUIRE_CALL(rig.impersonator, enter(_)).RETURN(result<void>());
  REQUIRE_CALL(rig.impersonator, revert());
  const auto thrower = [&]() -> int { throw std::runtime_error("inside"); };
  CHECK_THROWS_AS(static_cast<void>(c.run_as_client(thrower)), std::runtime_error);
}

TEST_CASE("without the client's leave, on the client's side or on a closed connection nothing is entered") {
  core_rig rig;
  FORBID_CALL(rig.impersonator, enter(_));
  bool ran = false;
  const auto f = [&] { ran = true; };
  for (const auto level : {impersonation_level::anonymous, impersonation_level::identification}) {
    connection c = rig.connect(rig.stream(), served(level));
    CHECK(c.run_as_client(f).error() == errc::impersonation_denied);
  }
  connection client = rig.connect(rig.stream(), core_rig::messages());
  CHECK(client.run_as_client(f).error() == errc::invalid_argument);
  connection closed = rig.connect(rig.stream(), served(impersonation_level::impersonation));
  closed.abort();
  CHECK(closed.run_as_client(f).error() == errc::closed);
  CHECK_FALSE(ran);
}

TEST_CASE("what the system refuses is the error, and the callable is not run") {
  core_rig rig;
  connection c = rig.connect(rig.stream(), served(impersonation_level::impersonation));
  REQUIRE_CALL(rig.impersonator, enter(_)).RETURN(fail(errc::impersonation_denied, operation::none, 1));
  FORBID_CALL(rig.impersonator, revert());
  const auto made = c.run_as_client([] { FAIL_CHECK("it ran"); });
  CHECK(
      (made.error() == errc::impersonation_denied && made.error().what_failed() == operation::run_as_client));
}

TEST_CASE("inside it cannot be nested and every operation is refused before it starts") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, served(impersonation_level::impersonation));
  REQUIRE_CALL(rig.impersonator, enter(_)).LR_SIDE_EFFECT(rig.impersonating = true).RETURN(result<void>());
  REQUIRE_CALL(rig.impersonator, revert()).LR_SIDE_EFFECT(rig.impersonating = false);
  FORBID_CALL(stream.mock, write(_));
  FORBID_CALL(stream.mock, read(_));
  const auto inside = [&] {
    CHECK(c.run_as_client([] {}).error() == errc::not_while_impersonating);
    awaited<send_result> sent;
    awaited<result<received>> got;
    buffer into;
    rig.go(c.send("x"), sent);
    rig.go(c.receive(into), got);
    CHECK((sent.at_once && sent.code() == errc::not_while_impersonating));
    CHECK((got.at_once && got.code() == errc::not_while_impersonating));
  };
  CHECK(c.run_as_client(inside).has_value());
}
