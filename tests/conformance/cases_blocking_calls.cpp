// Blocking calls: the time they see, and connects while a thread acts for a client.
#include "conformance/cases_blocking_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("a blocking call counts its time from when it is made",
                 needs(capability::blocking_streams)) {
  flag over(w);
  const auto here = std::make_shared<meeting>(w, bytes());
  blocking_server(w, here, [&](party& p, blocking::connection& c) {
    for (int i = 0; i < 3; ++i) {
      p.self().sleep(20ms);
      const time_point before = p.self().now();
      buffer b;
      p.refusal(c.receive(b, briefly(p, 10ms)), errc::timed_out);
      EXPECT(p, p.self().now() - before >= 10ms);
      p.refusal(c.receive(b, {.until = before, .unless = p.stop()}), errc::timed_out);
    }
    over.set();
  });
  awaiting_client(w, here, [&](party& p, connection&) -> task<void> { co_await p.wait(over); });
  w.run();
}

CONFORMANCE_CASE("inside run_as_client a blocking connect makes one attempt",
                 needs(capability::blocking_streams)) {
  const std::string name = w.fresh_name();
  flag bound(w);
  pair_options how = bytes();
  how.client.level = impersonation_level::impersonation;
  w.pair(
      how,
      [&](party& p, connection& c) -> task<void> {
        co_await p.wait(bound);
        const auto connects = [&](const std::string& where) {
          const connect_options options{.wait_for_server = true, .runtime_directory = w.directory()};
          return c.run_as_client([&] { return blocking::connect(p.self(), where, options, patient(p)); });
        };
        p.refusal(connects("no-such-name"), errc::not_found);  // it doesn't wait for a server
        blocking::connection made = p.value(connects(name));
        EXPECT(p, receive_now(p, made, 7) == "welcome");
        bool ran = false;
        p.value(c.run_as_client([&] {
          buffer b;
          p.refusal(made.receive(b, patient(p)), errc::not_while_impersonating);
          p.refusal<std::size_t>(made.send("no", patient(p)), errc::not_while_impersonating);
          ran = true;
        }));
        EXPECT(p, ran);
      },
      [](party& p, connection& c) -> task<void> { co_await p.receive_end(c); });
  w.party("other server", [&](party& p) -> task<void> {
    auto [served, door] = p.serve(bound, name);
    connection c = co_await p.accept(door);
    co_await p.send(c, "welcome");
    co_await p.receive_end(c);
  });
  w.run();
}

CONFORMANCE_CASE("a connect inside run_as_client has the client's rights and is the client's",
                 needs(capability::blocking_streams, capability::impersonation)) {
  const std::string open = w.fresh_name(), closed_place = w.new_directory(user::own, true);
  flag bound(w), bound_too(w);
  pair_options how = bytes();
  how.server.access = access_policy::everyone_local();
  how.client.level = impersonation_level::impersonation;
  how.client_user = user::alice;
  w.pair(
      how,
      [&](party& p, connection& c) -> task<void> {
        co_await p.wait(bound);
        co_await p.wait(bound_too);
        const auto connects = [&](const std::string& where) {
          const connect_options options{.runtime_directory = where};
          return blocking::connect(p.self(), open, options, patient(p));
        };
        p.refusal(c.run_as_client([&] { return connects(closed_place); }), errc::access_denied);
        blocking::connection own = p.value(connects(closed_place));
        const std::string own_uid = std::to_string(w.uid(user::own));
        EXPECT(p, receive_now(p, own, own_uid.size()) == own_uid);
        blocking::connection hers = p.value(c.run_as_client([&] { return connects(w.directory()); }));
        const std::string her_uid = std::to_string(w.uid(user::alice));
        EXPECT(p, receive_now(p, hers, her_uid.size()) == her_uid);
      },
      [](party& p, connection& c) -> task<void> { co_await p.receive_end(c); });
  const auto tells_who = [&](flag& ready, std::string place, access_policy access) -> world::body {
    return [&, place = std::move(place), access = std::move(access)](party& p) -> task<void> {
      endpoint_options options;
      options.runtime_directory = place;
      options.access = access;
      auto [served, door] = p.serve(ready, open, options);
      connection c = co_await p.accept(door);
      const std::string who = std::to_string(c.peer().uid.value);
      co_await p.send(c, who);
      co_await p.receive_end(c);
    };
  };
  w.party("server for all", tells_who(bound, w.directory(), access_policy::everyone_local()));
  w.party("server for its own", tells_who(bound_too, closed_place, access_policy::same_user()));
  w.run();
}

}  // namespace tp::conformance
