// One runtime's part in serving an endpoint.
#include "async/listener_state.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "async/connection_state.hpp"
#include "async/refusal.hpp"
#include "twinpipe/escape.hpp"

namespace tp::detail {

using reader = wire::hello_reader;

namespace {

[[nodiscard]] std::vector<std::byte> reply_bytes(wire::reply_status status, std::string_view reason = {}) {
  return wire::encode(core::refuse(status, reason));
}

// For a peer that doesn't speak the handshake, a line that a person can read.
[[nodiscard]] std::vector<std::byte> raw_greeting() {
  constexpr std::string_view line = "twinpipe: this endpoint speaks the native profile, version 1\n";
  const auto bytes = std::as_bytes(std::span(line));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

listener_state::listener_state(runtime_state& runtime, std::shared_ptr<endpoint_owner> owner,
                               backend::acceptor_ptr acceptor)
    : resident(runtime),
      owner_(std::move(owner)),
      endpoint_(owner_->state()),
      acceptor_(std::move(acceptor)),
      accept_op_(handler<&listener_state::accepted>(), this),
      timer_op_(handler<&listener_state::timer_ended>(), this) {
  ticket_.deliver = &listener_state::deliver;
  ticket_.box = runtime.shared_mail();
  ticket_.self = this;
  endpoint_->enrol(ticket_);
}

result<ref<listener_state>> make_listener(runtime_state& runtime, const endpoint& endpoint) {
  const auto& shared = endpoint.owner()->state();
  const auto refuse = [&](errc code) { return tp::fail(code, operation::listen, 0, shared->subject()); };
  if (runtime.impersonating()) return refuse(errc::not_while_impersonating);
  if (shared->closed()) return refuse(errc::closed);
  auto acceptor = runtime.system().open(shared->bound());
  if (!acceptor) return tp::fail(acceptor.error().about(operation::listen, shared->subject()));
  return ref<listener_state>(new listener_state(runtime, endpoint.owner(), std::move(*acceptor)));
}

listener_state::~listener_state() {
  endpoint_->strike(ticket_);
}

void listener_state::begin(accept_operation& op) {
  const auto refuse = [&](errc code) { op.end(tp::fail(code, operation::accept, 0, subject()), true); };
  if (closed_) return refuse(errc::closed);
  if (active_ != nullptr) return refuse(errc::operation_in_progress);
  const auto answer = endpoint_->request_slot(ticket_);
  if (answer == endpoint_state::answer::closed) {
    acceptor_->close();  // a blocking listener may not have heard of it before
    return refuse(errc::closed);
  }
  active_ = &op;
  stop_reason_ = errc::none;
  starting_ = true;
  if (answer == endpoint_state::answer::now) {
    slot_ = instance_slot(endpoint_);
    seek();
  }
  starting_ = false;
  if (active_ != &op || op.deadline() == never || timer_op_.pending()) return;
  timer_op_.deadline = op.deadline();
  runtime_.sleep(timer_op_, *this);
}

void listener_state::timer_ended() {
  if (active_ == nullptr) return;
  if (active_->deadline() <= runtime_.now()) return stop(*active_, errc::timed_out);
  if (active_->deadline() == never) return;
  timer_op_.deadline = active_->deadline();  // the timer was an earlier accept's
  runtime_.sleep(timer_op_, *this);
}

void listener_state::stop(accept_operation& op, errc reason) {
  if (&op != active_) return;
  // With a winner the reply is on its way, and completes the accept; if that fails, it ends then.
  winner_ == nullptr ? fail(reason) : static_cast<void>(stop_reason_ = reason);
}

void listener_state::deliver(mail& note) noexcept {
  const ref<listener_state> self(static_cast<ticket_mail&>(note).self);
  self->on_news();
}

// A slot, a parked client, or the end of the endpoint.
void listener_state::on_news() {
  if (endpoint_->closed()) {
    refuse_parked_for_closing();
    if (active_ != nullptr) fail(errc::closed);
    return acceptor_->close();  // what it holds of the name may keep it from being bound again
  }
  if (endpoint_->fetch_grant(ticket_)) slot_ = instance_slot(endpoint_);
  if (watching()) seek();
}

// Looks for the next client until one wins or all are slow. A client that is refused on the way leads here
// again: the loop that runs already goes on then, so that a crowd of them needs no stack.
void listener_state::seek() {
  if (seeking_ || winner_ != nullptr || runtime_.ending()) return;
  if (active_ != nullptr && stop_reason_ != errc::none) return fail(stop_reason_);
  const ref<listener_state> self(this);
  seeking_ = true;
  look_at_own();
  adopt_parked();
  accept_more();
  seeking_ = false;
}

// They have waited longest: hellos that were complete while another got its reply, and what the last accept
// left that is still on its way to the endpoint.
void listener_state::look_at_own() {
  const auto waiting = peers_;
  for (const auto& peer : waiting) {
    if (!watching() || winner_ != nullptr) return;
    if (peer->current() == half_open_peer::stage::parking) peer->resume();
    peer->read();
  }
}

void listener_state::adopt_parked() {
  while (watching() && winner_ == nullptr) {
    auto parked = endpoint_->adopt();
    if (!parked) return;
    if (endpoint_->options().profile == profile::raw) {
      endpoint_->leave_half_open();
      admit_raw(std::move(parked->stream));
      continue;
    }
    adopt_peer(std::move(parked->stream), std::move(parked->hello), parked->time_left);
  }
}

// One client at a time: the next is taken from the backlog only while those before it are slow.
void listener_state::accept_more() {
  const ref<listener_state> self(this);
  while (watching() && winner_ == nullptr && !accept_op_.pending()) {
    accept_op_.peer_follows = false;
    if (acceptor_->accept(accept_op_) == backend::start::pending) return retain();
    if (!accept_op_.result.ok()) return fail(accept_op_.result.code, accept_op_.result.system_cause);
    take_client(std::exchange(accept_op_.stream, nullptr), accept_op_.peer_follows);
  }
}

void listener_state::accepted() {
  const backend::status status = accept_op_.result;
  if (status.ok()) {
    take_client(std::exchange(accept_op_.stream, nullptr), accept_op_.peer_follows);
  } else if (status.code != errc::cancelled) {
    if (active_ != nullptr) fail(status.code, status.system_cause);
    return;
  }
  accept_more();
}

bool listener_state::admits(const identity& who) const noexcept {
  return endpoint_->options().access.admits(who, runtime_.twin().self());
}

void listener_state::take_client(backend::detached_ptr stream, bool peer_follows) {
  const endpoint_options& options = endpoint_->options();
  // Who will be known with the first bytes of the hello is judged then; raw has no hello to wait for.
  const bool judged_later =
      peer_follows && !stream->peer().user_known() && options.profile == profile::native;
  if (!judged_later && !admits(stream->peer())) {
    endpoint_->count_refused();
    return turn_away(std::move(stream), wire::reply_status::access_denied);
  }
  if (endpoint_->closed()) return turn_away(std::move(stream), wire::reply_status::closing);
  if (options.profile == profile::raw) return admit_raw(std::move(stream));
  enter_half_open();
  adopt_peer(std::move(stream), reader(wire::hello_side::from_client), options.handshake_timeout);
}

void listener_state::admit_raw(backend::detached_ptr stream) {
  if (!watching()) {  // its accept was stopped at that moment: it's for the next
    static_cast<void>(endpoint_->enter_half_open());
    return leave(
        {std::move(stream), reader(wire::hello_side::from_client), endpoint_->options().handshake_timeout});
  }
  const auto terms =
      core::raw_terms(endpoint_->options().direction, endpoint_->options().max_queued_bytes, true);
  admit(std::move(stream), terms);
}

void listener_state::enter_half_open() {
  auto entered = endpoint_->enter_half_open();
  if (!entered.too_many) return;
  if (entered.shed) return turn_away(std::move(entered.shed->stream), wire::reply_status::overloaded);
  // None is parked: the oldest of this thread's goes, if there is one.
  const auto oldest = std::ranges::find_if(peers_, [&](const auto& peer) { return peer.get() != winner_; });
  if (oldest == peers_.end()) return;
  endpoint_->count_shed();
  refuse(**oldest, reply_bytes(wire::reply_status::overloaded));
}

void listener_state::adopt_peer(backend::detached_ptr stream, reader hello, duration time_left) {
  auto attached = runtime_.system().attach(std::move(stream), backend::attachment::half_open);
  if (!attached) {
    endpoint_->leave_half_open();
    return fail(attached.error().code(), attached.error().system_cause());
  }
  const ref<half_open_peer> peer(
      new half_open_peer(*this, std::move(*attached), std::move(hello), time_left));
  peers_.push_back(peer);
  if (!watching() || winner_ != nullptr) return peer->park();
  peer->read();
}

void listener_state::refuse_parked_for_closing() {
  while (auto parked = endpoint_->adopt()) {
    endpoint_->leave_half_open();
    turn_away(std::move(parked->stream), wire::reply_status::closing);
  }
}

void listener_state::not_admitted(half_open_peer& peer) {
  endpoint_->count_refused();
  refuse(peer, reply_bytes(wire::reply_status::access_denied));
}

// One that isn't being read. In the raw profile there are no words for it: it is just closed.
void listener_state::turn_away(backend::detached_ptr stream, wire::reply_status why) {
  if (endpoint_->options().profile == profile::raw) return;
  auto attached = runtime_.system().attach(std::move(stream), backend::attachment::half_open);
  if (attached) refuse_client(runtime_, std::move(*attached), reply_bytes(why));
}

void listener_state::hello_complete(half_open_peer& peer) {
  if (watching() && winner_ == nullptr) return choose(peer);
  if (active_ == nullptr) peer.park();
}

void listener_state::choose(half_open_peer& peer) {
  const ref<listener_state> self(this);
  const ref<half_open_peer> keep(&peer);
  core::decision made = judge(peer);
  // The callback may have destroyed this listener: its accept has ended then, and the client isn't ours.
  if (!watching() || winner_ != nullptr || peer.current() != half_open_peer::stage::complete) return;
  auto reply = wire::encode(made.reply);
  if (!made.accepted()) {
    endpoint_->count_refused();
    refuse(peer, std::move(reply));
    return seek();
  }
  decision_ = std::move(made);
  winner_ = &peer;
  peer.reply(std::move(reply));
}

// Asks the application's callback, too. Who throws does not admit: an exception must neither pass through the
// turn nor open the door.
core::decision listener_state::judge(const half_open_peer& peer) const {
  const identity who = peer.who();  // a copy: the callback may end the accept, and the stream with it
  std::string thrown;
  try {
    return core::decide(peer.hello().hello(), endpoint_->options(), who, runtime_.twin().features(),
                        endpoint_->next_connection_id());
  } catch (const std::exception& exception) {
    thrown = escape(exception.what());
  } catch (...) {
    thrown = "no std::exception";
  }
  std::string line = "twinpipe: ";
  line.append(*subject()).append(": a client was refused because authorize threw: ").append(thrown);
  runtime_.twin().log(line);
  return {core::refuse(wire::reply_status::access_denied), {}};
}

void listener_state::reply_written(half_open_peer& peer) {
  winner_ = nullptr;
  auto stream = peer.take_stream();
  drop(peer);
  auto detached = stream->detach();
  if (!detached) return seek();
  admit(std::move(detached), decision_->terms);
}

void listener_state::admit(backend::detached_ptr stream, const core::terms& terms) {
  finish(established{std::move(stream), terms, subject(), std::move(slot_)});
}

void listener_state::hello_wrong(half_open_peer& peer) {
  endpoint_->count_refused();
  switch (peer.hello().reason()) {
    case errc::peer_is_not_twinpipe:
      refuse(peer, raw_greeting());
      break;
    case errc::feature_refused:
      refuse(peer, reply_bytes(wire::reply_status::required_feature, peer.hello().reason_text()));
      break;
    default:
      refuse(peer, reply_bytes(wire::reply_status::malformed, peer.hello().reason_text()));
  }
}

void listener_state::hello_timed_out(half_open_peer& peer) {
  if (!admits(peer.who())) return not_admitted(peer);
  endpoint_->count_refused();
  if (!peer.hello().begun()) return refuse(peer, raw_greeting());
  refuse(peer, reply_bytes(wire::reply_status::malformed, "the hello was not complete in time"));
}

void listener_state::peer_left(half_open_peer& peer) {
  const bool was_winner = &peer == winner_;
  if (was_winner) winner_ = nullptr;
  const auto gone = peer.take_stream();
  drop(peer);
  if (was_winner) seek();
}

void listener_state::parked(half_open_peer& peer, backend::detached_ptr stream, reader hello,
                            duration time_left) {
  std::erase_if(peers_, [&](const auto& each) { return each.get() == &peer; });
  if (stream == nullptr) return endpoint_->leave_half_open();
  leave({std::move(stream), std::move(hello), time_left});
}

// To whichever accept comes next; there is none if the endpoint was closed.
void listener_state::leave(parked_peer peer) {
  auto refused = endpoint_->park(std::move(peer));
  if (!refused) return;
  endpoint_->leave_half_open();
  turn_away(std::move(refused->stream), wire::reply_status::closing);
}

void listener_state::refuse(half_open_peer& peer, std::vector<std::byte> last_words) {
  const ref<half_open_peer> keep(&peer);
  drop(peer);
  peer.refuse(std::move(last_words));
  if (peer.current() == half_open_peer::stage::refusing) ++refusing_;
}

void listener_state::drop(half_open_peer& peer) {
  endpoint_->leave_half_open();
  std::erase_if(peers_, [&](const auto& each) { return each.get() == &peer; });
}

// Without an accept nobody can be told: the client was taken by one that has ended.
void listener_state::fail(errc code, int system_cause) {
  if (active_ == nullptr) return;
  finish(tp::fail(code, operation::accept, system_cause, subject()));
}

void listener_state::finish(result<established> outcome) {
  accept_operation& op = *std::exchange(active_, nullptr);
  winner_ = nullptr;
  endpoint_->cancel_request(ticket_);
  endpoint_->stop_watching(ticket_);
  slot_.release();
  if (accept_op_.pending()) acceptor_->cancel(accept_op_);
  if (timer_op_.pending()) runtime_.system().cancel(timer_op_);
  leave_peers();
  op.end(std::move(outcome), starting_);
}

void listener_state::leave_peers() {
  const bool closing = endpoint_->closed();
  const auto left = peers_;
  for (const auto& peer : left) {
    if (peer->current() == half_open_peer::stage::replying) {
      const auto gone = peer->take_stream();
      drop(*peer);
    } else if (closing) {
      refuse(*peer, reply_bytes(wire::reply_status::closing));
    } else if (peer->current() != half_open_peer::stage::parking) {
      peer->park();
    }
  }
}

// The mail that tells of the endpoint's end may never be read, so the parked clients are refused here, too.
void listener_state::close() noexcept {
  if (std::exchange(closed_, true)) return;
  const ref<listener_state> self(this);
  owner_.reset();  // if it was the last, this closes the endpoint
  if (active_ != nullptr) fail(errc::closed);
  leave_peers();
  if (endpoint_->closed()) refuse_parked_for_closing();
  acceptor_->close();
}

}  // namespace tp::detail
