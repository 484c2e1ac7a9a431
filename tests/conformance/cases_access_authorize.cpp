// Access: the program's own callback, and what a refused client learns.
#include <stdexcept>
#include <string>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("the authorize callback sees who asks and what for", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("server", [&](party& p) -> task<void> {
    int asked = 0;
    std::string program;
    bool right = false;
    endpoint_options options;
    options.mode = transmission::message;
    options.access = access_policy::same_user().authorize([&](const client_request& request) {
      ++asked;
      program = request.program;
      right = request.who.same_user(p.self().self()) && request.level == impersonation_level::impersonation &&
              request.mode == transmission::message;
      return admission::grant();
    });
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    EXPECT(p, asked == 1 && right && program == "the client's label");
    EXPECT(p, c.level() == impersonation_level::impersonation);
    co_await p.hear(c, "in");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    options.mode = transmission::message;
    options.level = impersonation_level::impersonation;
    options.program = "the client's label";
    connection c = co_await p.connect(name, options);
    co_await p.send(c, "in");
  });
  w.run();
}

CONFORMANCE_CASE("the reason of a refusal reaches the client, escaped, and nothing else does", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("server", [&](party& p) -> task<void> {
    int asked = 0;
    endpoint_options options;
    options.access = access_policy::same_user().authorize([&](const client_request&) {
      ++asked;
      if (asked == 1) return admission::deny("not on \x1b[31mMondays");
      return asked == 2 ? admission::deny() : admission::grant();
    });
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    EXPECT(p, asked == 3);
    co_await p.hear(c, "in");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const error with_reason = p.refusal(co_await p.try_connect(name), errc::access_denied);
    EXPECT(p, with_reason.message().find("Mondays") != std::string::npos);
    EXPECT(p, with_reason.message().find("\\x1b") != std::string::npos);
    EXPECT(p, with_reason.message().find('\x1b') == std::string::npos);
    const error without = p.refusal(co_await p.try_connect(name), errc::access_denied);
    EXPECT(p, without.subject() == "'" + name + "'");
    EXPECT(p, without.system_cause() == 0);
    connection c = co_await p.connect(name);
    co_await p.send(c, "in");
  });
  w.run();
}

CONFORMANCE_CASE("an authorize callback that throws refuses its client", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("server", [&](party& p) -> task<void> {
    int asked = 0;
    endpoint_options options;
    options.access = access_policy::same_user().authorize([&](const client_request&) {
      if (++asked == 1) throw std::runtime_error("thrown by the callback");
      return admission::grant();
    });
    const endpoint served = p.bind(name, options);
    listener door = p.listen(served);
    bound.set();
    connection c = co_await p.accept(door);
    EXPECT(p, asked == 2 && served.statistics().refused == 1);
    co_await p.hear(c, "in");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const error refused = p.refusal(co_await p.try_connect(name), errc::access_denied);
    EXPECT(p, refused.message().find("thrown") == std::string::npos);
    connection c = co_await p.connect(name);
    co_await p.send(c, "in");
  });
  w.run();
}

}  // namespace tp::conformance
