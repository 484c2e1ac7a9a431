// The application's callback in the middle of an accept: it may throw, end what asks it, and refuse a crowd.
#include <algorithm>
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>

#include "core_accept_rig.hpp"

using namespace tp;
using namespace tp::test;
using trompeloeil::_;
using wire::reply_status;

namespace {

using callback = std::function<admission(const client_request&)>;

endpoint_options asking(callback what) {
  return {.access = access_policy::same_user().authorize(std::move(what))};
}

}  // namespace

TEST_CASE("a callback that throws refuses the client, and the log says what it threw") {
  for (const bool standard : {true, false}) {
    bool good = false;
    server_rig rig(asking([&](const client_request&) -> admission {
      if (good) return admission::grant();
      if (standard) throw std::runtime_error("the table\n of users is gone");
      throw 7;
    }));
    REQUIRE_CALL(rig.twin, log(_))
        .WITH(_1 == (standard ? "twinpipe: 'server': a client was refused because authorize threw: "
                                "the table\\x0a of users is gone"
                              : "twinpipe: 'server': a client was refused because authorize threw: no "
                                "std::exception"));
    listener l = rig.listen();
    accepted done;
    rig.go(l.accept(), done);
    played_stream& client = rig.client(server_rig::hello());
    rig.settle();
    CHECK(server_rig::reply_to(client) == reply_status::access_denied);
    CHECK((!done.done() && rig.numbers().refused == 1 && rig.numbers().half_open == 0));
    good = true;
    rig.client(server_rig::hello());
    rig.settle();
    CHECK((done.done() && done->has_value()));
  }
}

TEST_CASE("a callback that destroys its listener ends the accept and leaves the client to the next") {
  for (const bool grants : {true, false}) {
    for (const bool at_once : {true, false}) {
      std::optional<listener> l;
      std::uint32_t seen = 0;
      server_rig rig(asking([&](const client_request& request) {
        l.reset();
        seen = request.who.uid.value;
        return grants ? admission::grant() : admission::deny();
      }));
      l.emplace(rig.listen());
      accepted done;
      played_stream* client = at_once ? &rig.client(server_rig::hello()) : nullptr;
      rig.go(l->accept(), done);
      if (!at_once) client = &rig.client(server_rig::hello());
      rig.settle();
      CHECK((done.code() == errc::closed && !client->closed && client->written.empty() && seen == 1000));
      CHECK((rig.numbers().half_open == 1 && rig.numbers().instances == 0 && rig.numbers().refused == 0));
    }
  }
}

TEST_CASE("clients that are refused one after the other need no stack") {
  std::uintptr_t lowest = UINTPTR_MAX, highest = 0;
  server_rig rig(asking([&](const client_request&) {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, here);
    highest = std::max(highest, here);
    return admission::deny();
  }));
  listener l = rig.listen();
  for (int i = 0; i < 100; ++i) rig.client(server_rig::hello());
  accepted done;
  rig.go(l.accept(), done);
  rig.settle();
  CHECK((!done.done() && rig.numbers().refused == 100 && rig.numbers().half_open == 0));
  CHECK(highest - lowest < 10'000);
}
