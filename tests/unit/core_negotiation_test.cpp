// What a server answers to every kind of hello, and what both sides hold to afterwards.
#include <catch2/catch.hpp>

#include "core/negotiation.hpp"

using namespace tp;
using namespace tp::core;
using wire::reply_status;

namespace {

const backend::capabilities unix_like{.half_close = true};
const backend::capabilities no_half_close{};
const identity nobody;

decision answered(const connect_options& client, const endpoint_options& server,
                  const backend::capabilities& c = unix_like, const backend::capabilities& s = unix_like) {
  return decide(make_hello(client, c), server, nobody, s, 7);
}

wire::client_hello features(std::uint32_t offered, std::uint32_t required) {
  wire::client_hello hello;
  hello.offered = offered;
  hello.required = required;
  return hello;
}

}  // namespace

TEST_CASE("both sides of an accepted hello hold to the same terms") {
  for (const auto mode : {transmission::byte, transmission::message}) {
    for (const bool framed_client : {false, true}) {
      for (const bool framed_server : {false, true}) {
        for (const auto& c : {unix_like, no_half_close}) {
          for (const auto& s : {unix_like, no_half_close}) {
            const connect_options options{.mode = mode, .framed = framed_client, .max_message = 500};
            const endpoint_options server{.mode = mode, .max_message = 300, .framed = framed_server};
            const decision made = answered(options, server, c, s);
            REQUIRE(made.accepted());
            const auto client = agree(make_hello(options, c), made.reply, options);
            REQUIRE(client);
            const bool framed = mode == transmission::message || framed_client || framed_server ||
                                !c.half_close || !s.half_close;
            CHECK((client->framed == framed && made.terms.framed == framed));
            CHECK((client->app_drain == framed && made.terms.app_drain == framed));
            CHECK((client->mode == mode && made.terms.mode == mode && client->id == 7));
            const bool messages = mode == transmission::message;
            CHECK((!messages || (client->max_send == 300 && made.terms.max_send == 300)));
            // Without messages the size has no meaning, and is 0 on the wire.
            CHECK(make_hello(options, c).max_receive == (messages ? 500 : 0));
            CHECK(made.reply.max_receive == (messages ? 300 : 0));
            CHECK((client->max_receive == 500 && made.terms.max_receive == 300));
            CHECK((made.terms.server && !client->server));
          }
        }
      }
    }
  }
}

TEST_CASE("directions fit only if one sends what the other receives") {
  using enum direction;
  for (const direction client : {duplex, in, out}) {
    for (const direction server : {duplex, in, out}) {
      const bool fits = (client == duplex && server == duplex) || (client == in && server == out) ||
                        (client == out && server == in);
      const decision made = answered({.direction = client}, {.direction = server});
      CHECK(made.reply.status == (fits ? reply_status::accepted : reply_status::direction));
      if (!fits) continue;
      CHECK(made.terms.can_send == (server != in));
      CHECK(made.terms.can_receive == (server != out));
    }
  }
}

TEST_CASE("modes fit as the protocol says, and a client that takes either is told which") {
  using wire::feature_framed, wire::feature_message;
  CHECK(answered({.mode = transmission::message}, {}).reply.status == reply_status::mode_mismatch);
  CHECK(answered({}, {.mode = transmission::message}).reply.status == reply_status::mode_mismatch);
  const auto either = features(feature_message | feature_framed, 0);
  const decision bytes = decide(either, {}, nobody, unix_like, 1);
  CHECK((bytes.accepted() && bytes.reply.granted == 0));
  const decision messages = decide(either, {.mode = transmission::message}, nobody, unix_like, 1);
  CHECK((messages.accepted() && messages.reply.granted == (feature_message | feature_framed)));
}

TEST_CASE("a required feature that is unknown or not granted is refused") {
  using wire::feature_framed;
  for (unsigned bit = 0; bit < 32; ++bit) {
    const decision made = decide(features(feature_framed | 1u << bit, 1u << bit), {}, nobody, unix_like, 1);
    const bool granted = bit == 1 || bit == 3;
    CAPTURE(bit);
    CHECK(made.reply.status == (granted    ? reply_status::accepted
                                : bit == 0 ? reply_status::mode_mismatch
                                           : reply_status::required_feature));
    if (granted) CHECK((made.terms.framed && (made.reply.granted & 1u << bit) != 0));
  }
  CHECK(decide(features(0, 0), {.framed = true}, nobody, unix_like, 1).reply.status ==
        reply_status::required_feature);
}

TEST_CASE("bits that are offered and unknown mean nothing") {
  const decision made = decide(features(0xffffffff, 0), {.framed = true}, nobody, unix_like, 1);
  CHECK((made.accepted() && made.reply.granted == (wire::feature_framed | wire::feature_app_drain)));
}

TEST_CASE("of several reasons to refuse the first of the protocol's order is answered") {
  auto hello = features(wire::feature_framed | wire::feature_message, wire::feature_message | 1u << 20);
  hello.directions = wire::client_to_server;
  hello.early_length = 5;
  hello.version_min = hello.version_max = 2;
  const endpoint_options options{.access = access_policy::same_user().authorize(
                                     [](const client_request&) { return admission::deny(); })};
  const auto status = [&] { return decide(hello, options, nobody, unix_like, 1).reply.status; };
  CHECK(status() == reply_status::version);
  hello.version_min = 1;
  CHECK(status() == reply_status::required_feature);
  hello.required = wire::feature_message;
  CHECK(status() == reply_status::mode_mismatch);
  hello.required = 0;
  CHECK(status() == reply_status::direction);
  hello.directions = 3;
  CHECK(status() == reply_status::early_refused);
  hello.early_length = 0;
  CHECK(status() == reply_status::access_denied);
}

TEST_CASE("a client trusts the servers that it was told to trust") {
  const auto user = [](std::uint32_t uid) {
    identity made;
    made.uid = {uid, trust::authoritative};
    return made;
  };
  const identity me = user(1000);
  using enum server_trust;
  CHECK((trusts(own_user_or_superuser, me, me) && trusts(own_user_or_superuser, user(0), me)));
  CHECK((!trusts(own_user_or_superuser, user(5), me) && !trusts(own_user_or_superuser, nobody, me)));
  CHECK((trusts(own_user, me, me) && !trusts(own_user, user(0), me)));
  CHECK((!trusts(superuser, me, me) && trusts(superuser, user(0), me)));
  CHECK((trusts(anyone, user(5), me) && trusts(anyone, nobody, me)));
}
