// A server on the twin of paper.
#include "core_accept_rig.hpp"

#include "core/negotiation.hpp"

namespace tp::test {

using trompeloeil::_;

played_acceptor::played_acceptor(paper_system& system, std::deque<played_stream*>& backlog)
    : system_(system), backlog_(backlog) {
  const auto keep = [this](std::unique_ptr<trompeloeil::expectation> e) {
    expectations_.push_back(std::move(e));
  };
  keep(NAMED_ALLOW_CALL(mock, accept(_)).LR_RETURN(on_accept(_1)));
  keep(NAMED_ALLOW_CALL(mock, cancel(_)).LR_SIDE_EFFECT(on_cancel(_1)));
  keep(NAMED_ALLOW_CALL(mock, close()).LR_SIDE_EFFECT(on_close()));
  keep(NAMED_ALLOW_CALL(mock, release()).LR_SIDE_EFFECT(on_close()).LR_SIDE_EFFECT(released = true));
}

bool played_acceptor::serve(backend::accept_op& op) {
  code_ = errc::none;
  if (!errors.empty()) {
    code_ = errors.front();
    errors.pop_front();
    return true;
  }
  if (backlog_.empty()) return false;
  op.stream = std::make_unique<played_detached>(*backlog_.front());
  op.peer_follows = backlog_.front()->peer_follows;
  backlog_.pop_front();
  return true;
}

backend::start played_acceptor::on_accept(backend::accept_op& op) {
  CHECK(accepting == nullptr);
  if (closed) return op.finish({errc::closed, 0});
  if (const errc code = fault(); code != errc::none) {
    if (fault_at == when::now) return op.finish({code, 0});
    system_.later(op, {code, 0});
    return op.begin();
  }
  if (serve(op)) return op.finish({code_, 0});
  accepting = &op;
  return op.begin();
}

void played_acceptor::wake() {
  if (accepting == nullptr || !serve(*accepting)) return;
  std::exchange(accepting, nullptr)->complete({code_, 0});
}

void played_acceptor::on_cancel(backend::op& op) {
  if (&op != accepting) return;
  const bool serves = cancel_meets_client && serve(*accepting);
  system_.later(*std::exchange(accepting, nullptr), {serves ? code_ : errc::cancelled, 0});
}

void played_acceptor::on_close() {
  closed = true;
  if (accepting != nullptr) system_.later(*std::exchange(accepting, nullptr), {errc::closed, 0});
}

server_rig::server_rig(endpoint_options options) {
  const auto keep = [this](std::unique_ptr<trompeloeil::expectation> e) {
    expectations_.push_back(std::move(e));
  };
  keep(NAMED_ALLOW_CALL(*bound, withdraw()));
  keep(NAMED_ALLOW_CALL(*system, attach(_, _)).LR_RETURN(attach(std::move(_1))));
  endpoint = std::make_shared<detail::endpoint_owner>(std::make_shared<detail::endpoint_state>(
      std::move(options), "server", bound, threads.make_mutex(backend::mutex_kind::leaf),
      std::make_shared<detail::withdrawals>(twin)));
}

server_rig::~server_rig() {
  runtime.reset();
  CHECK(numbers().instances == 0);
  endpoint.reset();
  for (const auto& each : acceptors_) CHECK(each->released);
  for (played_stream* each : backlog) each->released = true;
}

result<backend::stream_ptr> server_rig::attach(backend::detached_ptr stream) {
  const errc code = next_call("attach");
  if (attach_fails != errc::none || code != errc::none)
    return fail(attach_fails != errc::none ? attach_fails : code);
  return static_cast<played_detached&>(*stream).attach();
}

played_stream& server_rig::client(byte_vector says) {
  played_stream& made = client_to_be();
  if (!says.empty()) made.feed(std::move(says));
  arrive(made);
  return made;
}

played_stream& server_rig::client_to_be() {
  played_stream& made = stream();
  made.detacher = [this, &made]() -> backend::detached_ptr {
    if (made.reading != nullptr || made.writing != nullptr) return nullptr;
    if (next_call("detach") != errc::none) return nullptr;
    ++made.stale_releases;
    return std::make_unique<played_detached>(made);
  };
  return made;
}

void server_rig::arrive(played_stream& client) {
  backlog.push_back(&client);
  wake();
}

void server_rig::wake() {
  for (const auto& each : acceptors_) each->wake();
}

listener server_rig::listen() {
  auto& made = acceptors_.emplace_back(std::make_unique<played_acceptor>(*system, backlog));
  made->fault = [this] { return next_call("accept"); };
  made->fault_at = fails_when();
  return listener(*new detail::listener_state(*runtime, endpoint, backend::acceptor_ptr(&made->mock)));
}

byte_vector server_rig::hello(const connect_options& options) {
  return wire::encode(core::make_hello(options, {.half_close = true}));
}

std::optional<wire::reply_status> server_rig::reply_to(const played_stream& client) {
  wire::hello_reader reader(wire::hello_side::from_server);
  feed(reader, client.written);
  if (reader.current() != wire::hello_reader::state::complete) return std::nullopt;
  return reader.reply().status;
}

}  // namespace tp::test
