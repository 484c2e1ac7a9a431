// How each planted error shows.
#include "planted_sockets.hpp"

#include <algorithm>
#include <utility>

namespace tp::test::parity {

using sim::unix_socket;
namespace ready = sim::ready;

namespace {

sim::unix_charges table_for(planted error) {
  sim::unix_charges charges;
  if (error == planted::object_is_free) charges.object = 0;
  return charges;
}

}  // namespace

planted_sockets::planted_sockets(planted error) : model_sockets(table_for(error)), error_(error) {}

planted_sockets::memory* planted_sockets::of_peer(int slot) {
  const int other = slot_of(at(slot).peer());
  return other < 0 ? nullptr : &of(other);
}

outcome planted_sockets::listen(int slot, std::uint32_t backlog) {
  of(slot).backlog = backlog;
  return model_sockets::listen(slot, backlog);
}

outcome planted_sockets::connect(int slot, int to) {
  const bool listens = (at(to).poll() & (ready::out | ready::hup)) == 0;
  if (error_ == planted::backlog_of_n && listens && at(to).queued() >= of(to).backlog)
    return {.error = EAGAIN};
  outcome said = model_sockets::connect(slot, to);
  if (error_ == planted::full_is_refused && said.error == EAGAIN) said.error = ECONNREFUSED;
  if (error_ == planted::silent_is_full && said.error == ECONNREFUSED) said.error = EAGAIN;
  return said;
}

outcome planted_sockets::accept(int slot, int into) {
  outcome said = model_sockets::accept(slot, into);
  while (error_ == planted::gone_is_skipped && said.error == 0 && at(into).peer() == nullptr) {
    model_sockets::close(into);
    said = model_sockets::accept(slot, into);
  }
  if (error_ == planted::empty_accept_fails && said.error == EAGAIN) said.error = EINVAL;
  if (said.error == 0) of(into) = {};
  return said;
}

outcome planted_sockets::send(int slot, std::span<const std::byte> bytes) {
  unix_socket& socket = at(slot);
  const sim::unix_charges& charges = sim::linux_6_18;
  const std::uint32_t next = charges.charge(charges.piece(bytes.size(), socket.send_buffer()));
  memory* const peer = of_peer(slot);
  if (error_ == planted::no_overshoot && socket.outq() + next > socket.send_buffer() && peer != nullptr) {
    return {.error = EAGAIN};
  }
  if (error_ == planted::deaf_peer_is_written && of(slot).deaf_peer) return {.n = bytes.size()};
  if (error_ == planted::nothing_is_told && bytes.empty() && peer != nullptr) peer->told |= ready::in;
  outcome said = model_sockets::send(slot, bytes);
  if (error_ == planted::reset_to_writers && said.error == EPIPE && (socket.poll() & ready::err) != 0) {
    return error(slot);
  }
  if (peer != nullptr && said.n > 0) peer->sizes.push_back(said.n);
  return said;
}

outcome planted_sockets::urgent(int slot, std::span<const std::byte> bytes) {
  return error_ == planted::urgent_arrives && !bytes.empty() ? send(slot, bytes)
                                                             : model_sockets::urgent(slot, bytes);
}

outcome planted_sockets::recv(int slot, std::size_t n) {
  memory* const peer = of_peer(slot);
  const std::uint32_t charge = peer == nullptr ? 0 : at(slot).peer()->outq();
  const outcome said = read_as_planted(slot, n);
  if (peer == nullptr || said.n == 0) return said;
  const bool freed = at(slot).peer()->outq() < charge;
  peer->partly_read = freed ? 0 : peer->partly_read + said.n;
  peer->told |= ready::out;
  return said;
}

outcome planted_sockets::read_as_planted(int slot, std::size_t n) {
  memory& own = of(slot);
  if (error_ == planted::reset_before_data && (at(slot).poll() & ready::err) != 0) return error(slot);
  if (error_ == planted::reset_twice && std::exchange(own.was_reset, false)) return {.error = ECONNRESET};
  if (error_ == planted::reads_stay_apart && !own.sizes.empty()) n = std::min(n, own.sizes.front());
  outcome said = model_sockets::recv(slot, n);
  if (error_ == planted::urgent_joins && said.n > 0 && said.n < n && (at(slot).poll() & ready::pri) != 0) {
    said.n += model_sockets::recv(slot, n - said.n).n;
  }
  own.was_reset = said.error == ECONNRESET;
  if (said.n > 0 && !own.sizes.empty() && (own.sizes.front() -= std::min(said.n, own.sizes.front())) == 0) {
    own.sizes.pop_front();
  }
  const bool at_end = said.error == 0 && said.n == 0 && n > 0;
  if (error_ == planted::reset_always && at_end && std::exchange(own.ended, false))
    return {.error = ECONNRESET};
  return said;
}

outcome planted_sockets::error(int slot) {
  if (error_ == planted::reset_stays && (at(slot).poll() & ready::err) != 0) return {.error = ECONNRESET};
  return model_sockets::error(slot);
}

outcome planted_sockets::shutdown(int slot, unix_socket::direction which) {
  const bool reads = which != unix_socket::direction::write;
  if (reads && of_peer(slot) != nullptr) of_peer(slot)->deaf_peer = true;
  if (!reads) of(slot).shut = true;
  while (reads && error_ == planted::deafness_discards && model_sockets::recv(slot, greatest_size).n > 0) {
  }
  return model_sockets::shutdown(slot, which);
}

outcome planted_sockets::close(int slot) {
  if (at(slot).first_queued() != nullptr) close_listener(slot);
  unix_socket* const peer = at(slot).peer();
  memory* const other = of_peer(slot);
  if (other != nullptr) {
    other->charged = peer->outq();
    other->ended = at(slot).inq() == 0;
  }
  const bool shut = std::exchange(of(slot), {}).shut;
  outcome said = model_sockets::close(slot);
  const bool silent = error_ == planted::reset_never || (error_ == planted::reset_but_for_shutdown && shut);
  if (peer != nullptr && silent) (void)peer->take_error();
  return said;
}

void planted_sockets::close_listener(int slot) {
  while (error_ == planted::queued_stay && at(slot).accept()) {
  }
  if (error_ != planted::queued_only_end) return;
  for (unix_socket* next = at(slot).first_queued(); next != nullptr; next = at(slot).first_queued()) {
    unix_socket* const client = next->peer();
    (*at(slot).accept())->close();
    if (client != nullptr) (void)client->take_error();
  }
}

unsigned planted_sockets::poll(int slot) {
  const unix_socket& socket = at(slot);
  unsigned bits = model_sockets::poll(slot);
  const bool fresh = (bits & (ready::hup | ready::rdhup)) == ready::hup && socket.peer() == nullptr;
  const bool shows_room = error_ == planted::writable_to_limit && socket.peer() != nullptr;
  if (shows_room && socket.outq() < socket.send_buffer()) bits |= ready::out;
  if (error_ == planted::end_hidden_by_data && socket.inq() > 0)
    bits &= ~unsigned{ready::err | ready::hup | ready::rdhup};
  if (error_ == planted::hangup_by_close_only && socket.peer() != nullptr) bits &= ~unsigned{ready::hup};
  if (error_ == planted::deaf_peer_hangs_up && of(slot).deaf_peer) bits |= ready::hup;
  if (error_ == planted::fresh_is_quiet && fresh) bits &= ~unsigned{ready::hup};
  return bits;
}

std::uint32_t planted_sockets::outq(int slot) {
  const std::uint32_t charge = model_sockets::outq(slot);
  if (error_ == planted::still_charged && at(slot).peer() == nullptr) return of(slot).charged;
  if (error_ != planted::charged_by_bytes) return charge;
  return charge - static_cast<std::uint32_t>(std::min<std::size_t>(charge, of(slot).partly_read));
}

unsigned planted_sockets::told(int slot) {
  const unsigned extra = std::exchange(of(slot).told, 0U);
  unsigned edges = model_sockets::told(slot);
  const unsigned bits = poll(slot);
  if (error_ == planted::nothing_is_told) edges |= extra & bits & ready::in;
  if (error_ == planted::told_by_each_read) edges |= extra & bits & ready::out;
  if (error_ == planted::never_told && at(slot).peer() != nullptr) edges &= ~unsigned{ready::out};
  if (error_ == planted::arrival_untold && at(slot).first_queued() != nullptr) edges &= ~unsigned{ready::in};
  return edges;
}

}  // namespace tp::test::parity
