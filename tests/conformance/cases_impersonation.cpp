// Acting as the client: levels, whose rights count, and what is allowed inside.
#include <memory>
#include <stdexcept>
#include <type_traits>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

pair_options lending(user who) {
  pair_options made;
  made.server.access = access_policy::everyone_local();
  made.client.level = impersonation_level::impersonation;
  made.client_user = who;
  return made;
}

/// A client whose server acts in its name stays until that is over.
task<void> stays(party& p, connection& c) {
  co_await p.receive_end(c);
}

constexpr std::size_t plenty = 1000;

template <class F>
concept runs_as_client = requires(connection& c, F f) { c.run_as_client(f); };

}  // namespace

CONFORMANCE_CASE("without the client's leave nobody acts for it", needs()) {
  for (const impersonation_level level :
       {impersonation_level::anonymous, impersonation_level::identification}) {
    pair_options how = bytes();
    how.client.level = level;
    w.pair(
        how,
        [level](party& p, connection& c) -> task<void> {
          EXPECT(p, c.level() == level);
          bool ran = false;
          const auto outcome = c.run_as_client([&] { ran = true; });
          const error refused = p.refusal(outcome, errc::impersonation_denied);
          EXPECT(p, !ran);
          EXPECT(p, refused.what_failed() == operation::run_as_client);
          EXPECT(p, refused.message().find("connect_options::level") != std::string::npos);
          co_return;
        },
        stays);
  }
  w.run();
}

CONFORMANCE_CASE("the client's rights and groups decide what its server can read",
                 needs(capability::impersonation)) {
  const std::string open =
      w.file("open", "for all", {.owner = user::own, .mode = 0644, .shared_group = false});
  const std::string secret =
      w.file("secret", "server's", {.owner = user::own, .mode = 0600, .shared_group = false});
  const std::string alices =
      w.file("alices", "alice's", {.owner = user::alice, .mode = 0600, .shared_group = false});
  const std::string shared =
      w.file("shared", "group's", {.owner = user::own, .mode = 0640, .shared_group = true});
  for (const user who : {user::alice, user::bob}) {
    const bool alice = who == user::alice;
    w.pair(
        lending(who),
        [&, alice](party& p, connection& c) -> task<void> {
          const files all = p.rt().files();
          const auto as_client = [&](const std::string& path) {
            return c.run_as_client([&] { return all.read(path, plenty); });
          };
          EXPECT(p, p.value(as_client(open)) == "for all");
          const auto hers = as_client(alices), theirs = as_client(shared);
          if (alice) EXPECT(p, p.value(hers) == "alice's" && p.value(theirs) == "group's");
          if (!alice) p.refusal(hers, errc::access_denied);
          if (!alice) p.refusal(theirs, errc::access_denied);
          const error denied = p.refusal(as_client(secret), errc::access_denied);
          EXPECT(p, denied.subject() == secret && denied.what_failed() == operation::read_file);
          EXPECT(p, p.value(all.read(secret, plenty)) == "server's");
          p.refusal(as_client(secret + "-not"), errc::not_found);
          co_return;
        },
        stays);
  }
  w.run();
}

CONFORMANCE_CASE("what is read beneath a directory stays there", needs(capability::impersonation)) {
  w.file("inside", "within reach", {.owner = user::alice, .mode = 0600, .shared_group = false});
  w.file("secret", "out of reach", {.owner = user::own, .mode = 0600, .shared_group = false});
  w.pair(
      lending(user::alice),
      [&](party& p, connection& c) -> task<void> {
        const directory here = p.value(p.rt().files().open_directory(w.files_directory()));
        const auto as_client = [&](const std::string& path, std::size_t limit = plenty) {
          return c.run_as_client([&] { return here.read(path, limit); });
        };
        EXPECT(p, p.value(as_client("inside")) == "within reach");
        EXPECT(p, p.value(as_client("./inside")) == "within reach");
        p.refusal(as_client("secret"), errc::access_denied);
        p.refusal(as_client("../inside"), errc::access_denied);
        p.refusal(as_client(w.files_directory() + "/inside"), errc::access_denied);
        p.refusal(as_client("absent"), errc::not_found);
        p.refusal(as_client("."), errc::invalid_argument);
        p.refusal(as_client("inside", 3), errc::file_too_large);
        co_return;
      },
      stays);
  w.run();
}

CONFORMANCE_CASE("the server has its own rights again after run_as_client",
                 needs(capability::impersonation)) {
  const std::string secret =
      w.file("secret", "server's", {.owner = user::own, .mode = 0600, .shared_group = false});
  w.pair(
      lending(user::alice),
      [&](party& p, connection& c) -> task<void> {
        const files all = p.rt().files();
        const auto read = [&] { return all.read(secret, plenty); };
        p.refusal(c.run_as_client(read), errc::access_denied);
        EXPECT(p, p.value(read()) == "server's");
        std::string caught;
        try {
          static_cast<void>(c.run_as_client([&]() -> int { throw std::runtime_error("from inside"); }));
        } catch (const std::runtime_error& thrown) {
          caught = thrown.what();
          EXPECT(p, p.value(read()) == "server's");
        }
        EXPECT(p, caught == "from inside");
        p.refusal(c.run_as_client(read), errc::access_denied);
        EXPECT(p, p.value(read()) == "server's");
        co_await p.send(c, "and the connection goes on");
        static_cast<void>(co_await p.bounded(c.shutdown()));
      },
      [](party& p, connection& c) -> task<void> {
        EXPECT(p, co_await receive_rest(p, c) == "and the connection goes on");
      });
  w.run();
}

CONFORMANCE_CASE("run_as_client hands on the result of its callable", needs()) {
  w.pair(
      lending(user::own),
      [](party& p, connection& c) -> task<void> {
        EXPECT(p, p.value(c.run_as_client([] { return 7; })) == 7);
        p.value(c.run_as_client([] {}));
        auto movable = p.value(c.run_as_client([] { return std::make_unique<int>(8); }));
        EXPECT(p, *movable == 8);
        const auto flat = c.run_as_client([]() -> result<std::string> { return "flat"; });
        static_assert(std::is_same_v<decltype(flat), const result<std::string>>);
        EXPECT(p, p.value(flat) == "flat");
        const auto failed = c.run_as_client([]() -> result<void> { return fail(errc::file_too_large); });
        p.refusal(failed, errc::file_too_large);
        using synchronous = decltype([] { return 1; });
        using coroutine = decltype([]() -> task<int> { co_return 1; });
        static_assert(runs_as_client<synchronous> && !runs_as_client<coroutine>);
        co_return;
      },
      stays);
  w.run();
}

CONFORMANCE_CASE("inside run_as_client only files can be used", needs()) {
  const std::string path =
      w.file("mine", "readable", {.owner = user::own, .mode = 0600, .shared_group = false});
  w.pair(
      lending(user::own),
      [&](party& p, connection& c) -> task<void> {
        const endpoint served = p.bind("also-here");
        listener door = p.listen(served);
        const auto refused = [](auto operation, errc why = errc::not_while_impersonating) {
          return operation.await_ready() && operation.await_resume().error().code() == why;  // at once
        };
        const errc connecting = calls_block ? errc::busy : errc::not_while_impersonating;
        const auto at_once = [](const auto& outcome) {
          return outcome.error().code() == errc::not_while_impersonating;
        };
        buffer b;
        const auto outcome = c.run_as_client([&] {
          EXPECT(p, p.value(p.rt().files().read(path, plenty)) == "readable");
          EXPECT(p, refused(c.send("no")) && refused(c.receive(b)) && refused(c.shutdown()));
          EXPECT(p, refused(c.drain()) && refused(c.close()));
          EXPECT(p, refused(door.accept()) && refused(p.rt().sleep(1ms)));
          EXPECT(p, refused(p.attempt("also-here").within(5ms), connecting));
          EXPECT(p, at_once(p.try_bind("third")) && at_once(p.try_listen(served)));
          EXPECT(p, at_once(runtime::create(p.self())));
          EXPECT(p, at_once(p.self().start_thread("no", [](thread&) { return 0; })));
          bool nested = false;
          EXPECT(p, at_once(c.run_as_client([&] { nested = true; })) && !nested);
        });
        p.value(outcome);
        p.value(p.try_listen(served));
        co_await p.send(c, "afterwards everything works");
        static_cast<void>(co_await p.bounded(c.shutdown()));
      },
      [](party& p, connection& c) -> task<void> {
        EXPECT(p, co_await receive_rest(p, c) == "afterwards everything works");
      });
  w.run();
}

CONFORMANCE_CASE("acting for a client of the own user needs no privilege", needs()) {
  const std::string path =
      w.file("mine", "readable", {.owner = user::own, .mode = 0600, .shared_group = false});
  w.pair(
      lending(user::own),
      [&](party& p, connection& c) -> task<void> {
        EXPECT(p, p.value(c.run_as_client([&] { return p.rt().files().read(path, plenty); })) == "readable");
        EXPECT(p, p.value(p.rt().files().read(path, plenty)) == "readable");
        co_return;
      },
      stays);
  w.run();
}

CONFORMANCE_CASE("a process without privileges says it can't impersonate, and acts for nobody else",
                 needs(capability::impersonation)) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party(w.process(user::alice), "server", [&](party& p) -> task<void> {
    EXPECT(p, !p.self().twin().features().impersonation);
    endpoint_options options;
    options.access = access_policy::everyone_local();
    const endpoint served = p.bind(name, options);
    listener door = p.listen(served);
    bound.set();
    connection c = co_await p.accept(door);
    bool ran = false;
    const error denied = p.refusal(c.run_as_client([&] { ran = true; }), errc::impersonation_denied);
    EXPECT(p, !ran && !denied.subject().empty());
    co_await p.receive_end(c);
  });
  w.party(w.process(user::bob), "client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    options.level = impersonation_level::impersonation;
    options.expected_server = server_trust::anyone;
    options.runtime_directory = w.directory(user::alice);
    connection c = co_await p.connect(name, options);
  });
  w.run();
}

CONFORMANCE_CASE("a raw client gives no leave to act for it", needs()) {
  pair_options how = lending(user::own);
  how.server.profile = how.client.profile = profile::raw;
  w.pair(
      how,
      [](party& p, connection& c) -> task<void> {
        EXPECT(p, c.level() == impersonation_level::identification);
        bool ran = false;
        p.refusal(c.run_as_client([&] { ran = true; }), errc::impersonation_denied);
        EXPECT(p, !ran);
        co_return;
      },
      stays);
  w.run();
}

CONFORMANCE_CASE("a name closed while its server acts for a client is given back when that ends",
                 needs(capability::impersonation)) {
  const std::string name = w.fresh_name();
  w.pair(
      lending(user::alice),
      [&](party& p, connection& c) -> task<void> {
        endpoint other = p.bind(name);
        const std::string place = other.location();
        p.value(c.run_as_client([&] { other.close(); }));
        p.refusal(p.rt().files().read(place, plenty), errc::not_found);
        p.refusal(co_await p.try_connect(name), errc::not_found);
        const endpoint again = p.bind(name);
      },
      stays);
  w.run();
}

}  // namespace tp::conformance
