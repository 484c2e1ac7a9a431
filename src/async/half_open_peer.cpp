// A client whose hello isn't complete or not yet answered.
#include "async/half_open_peer.hpp"

#include <algorithm>

#include "async/listener_state.hpp"
#include "async/refusal.hpp"

namespace tp::detail {

half_open_peer::half_open_peer(listener_state& listener, backend::stream_ptr stream, wire::hello_reader hello,
                               duration time_left)
    : resident(listener.runtime()),
      listener_(listener),
      listener_kept_(&listener),
      stream_(std::move(stream)),
      hello_(std::move(hello)),
      deadline_(deadline_after(runtime_.now(), time_left)),
      read_op_(handler<&half_open_peer::read_ended>(), this),
      write_op_(handler<&half_open_peer::wrote>(), this) {
  if (hello_.current() == wire::hello_reader::state::complete) stage_ = stage::complete;
}

void half_open_peer::read() {
  const ref<half_open_peer> self(this);
  while (stage_ == stage::reading && !read_op_.pending()) {
    read_op_.into = hello_.wanted();
    read_op_.deadline = deadline_;
    if (stream_->read(read_op_) == backend::start::pending) return retain();
    if (!take_read()) return;
  }
  if (stage_ == stage::complete) listener_.hello_complete(*this);
}

bool half_open_peer::take_read() {
  const errc code = read_op_.result.code;
  if (code == errc::cancelled) return true;
  if (code == errc::timed_out) return listener_.hello_timed_out(*this), false;
  if (code != errc::none || read_op_.n == 0) return listener_.peer_left(*this), false;
  // Before any of it is parsed: with its first bytes a client that was unknown at accept may be known now.
  if (!hello_.begun() && !listener_.admits(who())) return listener_.not_admitted(*this), false;
  switch (hello_.feed(read_op_.n)) {
    case wire::hello_reader::state::wrong:
      return listener_.hello_wrong(*this), false;
    case wire::hello_reader::state::complete:
      if (stage_ == stage::reading) stage_ = stage::complete;
      return true;
    case wire::hello_reader::state::needs_more:
      break;
  }
  return true;
}

void half_open_peer::read_ended() {
  if (stage_ == stage::refusing) {
    listener_.stops_refusing();
    return refuse_client(runtime_, take_stream(), std::move(reply_));
  }
  if (stage_ == stage::gone || !take_read()) return;
  if (stage_ == stage::parking) return go_to_endpoint();
  if (stage_ == stage::complete) return listener_.hello_complete(*this);
  read();
}

void half_open_peer::reply(std::vector<std::byte> bytes) {
  stage_ = stage::replying;
  reply_ = std::move(bytes);
  reply_vector_ = reply_;
  write_op_.buffers = std::span(&reply_vector_, 1);
  write_op_.deadline = deadline_;
  if (stream_->write(write_op_) == backend::start::pending) return retain();
  wrote();
}

void half_open_peer::wrote() {
  if (stage_ == stage::gone) return;
  const ref<half_open_peer> self(this);
  write_op_.result.ok() ? listener_.reply_written(*this) : listener_.peer_left(*this);
}

void half_open_peer::park() {
  stage_ = stage::parking;
  if (read_op_.pending()) return stream_->cancel(read_op_);
  go_to_endpoint();
}

void half_open_peer::resume() {
  const bool whole = hello_.current() == wire::hello_reader::state::complete;
  stage_ = whole ? stage::complete : stage::reading;
}

void half_open_peer::go_to_endpoint() {
  const ref<half_open_peer> self(this);
  stage_ = stage::gone;
  const duration left = std::max(deadline_ - runtime_.now(), duration::zero());
  auto detached = stream_->detach();
  listener_.parked(*this, std::move(detached), std::move(hello_), left);
}

void half_open_peer::refuse(std::vector<std::byte> last_words) {
  if (!read_op_.pending()) return refuse_client(runtime_, take_stream(), std::move(last_words));
  stage_ = stage::refusing;
  reply_ = std::move(last_words);
  stream_->cancel(read_op_);
}

backend::stream_ptr half_open_peer::take_stream() noexcept {
  stage_ = stage::gone;
  return std::move(stream_);
}

void half_open_peer::evict() noexcept {
  if (stage_ == stage::gone) return;
  const ref<half_open_peer> self(this);
  const bool counted = std::exchange(stage_, stage::gone) != stage::refusing;
  stream_->close();
  counted ? listener_.peer_left(*this) : listener_.stops_refusing();
}

}  // namespace tp::detail
