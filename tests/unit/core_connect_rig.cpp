// A client on the twin of paper.
#include "core_connect_rig.hpp"

#include "core/negotiation.hpp"

namespace tp::test {

using trompeloeil::_;

client_rig::client_rig() {
  const auto keep = [this](std::unique_ptr<trompeloeil::expectation> e) {
    expectations_.push_back(std::move(e));
  };
  keep(NAMED_ALLOW_CALL(twin, names()).LR_RETURN(std::ref(names)));
  keep(NAMED_ALLOW_CALL(*system, connect(_)).LR_RETURN(on_connect(_1)));
  const auto attach = [this](backend::detached_ptr stream) -> result<backend::stream_ptr> {
    const errc code = next_call("attach");
    if (attach_fails != errc::none || code != errc::none)
      return fail(attach_fails != errc::none ? attach_fails : code);
    return static_cast<played_detached&>(*stream).attach();
  };
  keep(NAMED_ALLOW_CALL(*system, attach(_, _)).RETURN(attach(std::move(_1))));
  system->on_cancel_connect = [this](backend::op& op) {
    if (&op != connecting) return;
    system->later(*std::exchange(connecting, nullptr), {errc::cancelled, 0});
  };
}

client_rig::~client_rig() {
  runtime.reset();
}

backend::start client_rig::on_connect(backend::connect_op& op) {
  ++tried;
  asked_level = op.level;
  tried_at.push_back(system->now());
  if (const errc code = next_call("connect"); code != errc::none) {
    if (fails_when() == when::now) return op.finish({code, 0});
    system->later(op, {code, 0});
    return op.begin();
  }
  attempt next{nullptr, errc::not_found, when::now};
  if (!attempts.empty()) {
    next = attempts.front();
    attempts.pop_front();
  }
  if (next.code == errc::not_found) op.detail = make_text("/tried/here: nobody");
  if (next.server != nullptr) op.stream = std::make_unique<played_detached>(*next.server);
  if (next.at == when::now) return op.finish({next.code, 0});
  op.begin();
  if (next.at == when::later) {
    system->later(op, {next.code, 0});
  } else {
    connecting = &op;
  }
  return backend::start::pending;
}

played_stream& client_rig::server(byte_vector says) {
  played_stream& made = stream();
  if (!says.empty()) made.feed(std::move(says));
  return made;
}

byte_vector client_rig::acceptance(std::uint32_t granted, std::uint32_t max_receive) {
  wire::server_reply reply;
  reply.granted = granted;
  reply.max_receive = max_receive;
  reply.connection_id = 42;
  return wire::encode(reply);
}

byte_vector client_rig::wait() {
  wire::server_reply reply;
  reply.status = wire::reply_status::wait;
  return wire::encode(reply);
}

byte_vector client_rig::answer_with(wire::reply_status status, std::string_view reason) {
  return wire::encode(core::refuse(status, reason));
}

}  // namespace tp::test
