// What each operation is on the simulated twin.
#include "model_sockets.hpp"

#include <algorithm>

namespace tp::test::parity {

namespace {

outcome result_of(std::errc error) {
  return {.error = static_cast<int>(error)};
}

outcome result_of(const sim::unix_socket::count& done) {
  return done ? outcome{.n = *done} : result_of(done.error());
}

/// The same memory as three spans, one of them empty: what is odd goes over several.
template <class Byte>
std::array<std::span<Byte>, 3> in_parts(std::span<Byte> whole) {
  const std::size_t first = whole.size() / 3;
  return {whole.first(first), {}, whole.subspan(first)};
}

}  // namespace

model_sockets::model_sockets(const sim::unix_charges& charges)
    : kernel_(*std::pmr::new_delete_resource(), charges) {}

outcome model_sockets::apply(const operation& o) {
  switch (o.what) {
    case verb::open:
      return keep(kernel_.open(), o.at);
    case verb::pair: {
      const auto [one, other] = kernel_.open_pair();
      keep(one, o.at);
      return keep(other, o.other);
    }
    case verb::limit:
      at(o.at).set_send_buffer(static_cast<std::uint32_t>(o.n));
      return {};
    case verb::listen:
      return listen(o.at, static_cast<std::uint32_t>(o.n));
    case verb::connect:
      return connect(o.at, o.other);
    case verb::accept:
      return accept(o.at, o.other);
    case verb::send:
      return send(o.at, payload(o, 0));
    case verb::urgent:
      return urgent(o.at, payload(o, 0));
    case verb::recv:
      return recv(o.at, o.n);
    case verb::fill:
      return fill(o);
    case verb::drain:
      return drain(o);
    case verb::error:
      return error(o.at);
    case verb::shutdown:
      return shutdown(o.at, static_cast<sim::unix_socket::direction>(o.n));
    case verb::close:
      return close(o.at);
  }
  return {};
}

std::array<state, slots> model_sockets::look() {
  collect();
  std::array<state, slots> seen{};
  for (int slot = 0; slot < slots; ++slot) {
    if (open_.at(static_cast<std::size_t>(slot)) == nullptr) continue;
    const unsigned bits = poll(slot), edges = told(slot);
    const auto i = static_cast<std::size_t>(slot);
    seen.at(i) = {.poll = bits, .outq = outq(slot), .inq = at(slot).inq(), .told = edges};
    woken_.at(i) = 0;
  }
  return seen;
}

outcome model_sockets::keep(sim::unix_socket& socket, int slot) {
  open_.at(static_cast<std::size_t>(slot)) = &socket;
  socket.watch(sim::wake::readable | sim::wake::writable);
  return {};
}

int model_sockets::slot_of(const sim::unix_socket* socket) const {
  const auto found = std::ranges::find(open_, socket);
  return socket == nullptr || found == open_.end() ? -1 : static_cast<int>(found - open_.begin());
}

outcome model_sockets::listen(int slot, std::uint32_t backlog) {
  return result_of(at(slot).listen(backlog));
}

outcome model_sockets::connect(int slot, int to) {
  const auto made = at(slot).connect(at(to));
  return made ? outcome{} : result_of(made.error());
}

outcome model_sockets::accept(int slot, int into) {
  const auto taken = at(slot).accept();
  return taken ? keep(**taken, into) : result_of(taken.error());
}

outcome model_sockets::send(int slot, std::span<const std::byte> bytes) {
  if (bytes.size() % 2 == 0) return result_of(at(slot).send(bytes));
  return result_of(at(slot).send(in_parts(bytes)));
}

outcome model_sockets::urgent(int slot, std::span<const std::byte> bytes) {
  return result_of(at(slot).send_urgent(bytes));
}

outcome model_sockets::recv(int slot, std::size_t n) {
  const std::span<std::byte> into = room().first(n);
  outcome got = result_of(n % 2 == 0 ? at(slot).recv(into) : at(slot).recv(in_parts(into)));
  if (got.n > 0) got.data = hash(0, room().first(got.n));
  return got;
}

outcome model_sockets::fill(const operation& o) {
  outcome sum{.calls = 0};
  for (; sum.calls < most_calls; ++sum.calls) {
    const outcome one = send(o.at, payload(o, sum.calls));
    sum.n += one.n;
    sum.error = one.error;
    if (one.error != 0) break;
  }
  return sum;
}

outcome model_sockets::drain(const operation& o) {
  outcome sum{.calls = 0};
  for (; sum.calls < most_calls; ++sum.calls) {
    const outcome one = recv(o.at, o.n);
    sum.n += one.n;
    sum.data = sum.data * 31 + one.data;
    sum.error = one.error;
    if (one.n == 0) break;
  }
  return sum;
}

outcome model_sockets::error(int slot) {
  return result_of(at(slot).take_error());
}

outcome model_sockets::shutdown(int slot, sim::unix_socket::direction which) {
  at(slot).shutdown(which);
  return {};
}

outcome model_sockets::close(int slot) {
  at(slot).close();
  open_.at(static_cast<std::size_t>(slot)) = nullptr;
  woken_.at(static_cast<std::size_t>(slot)) = 0;
  return {};
}

unsigned model_sockets::poll(int slot) {
  return at(slot).poll();
}

std::uint32_t model_sockets::outq(int slot) {
  return at(slot).outq();
}

/// An edge is reported if the socket is ready when somebody looks.
unsigned model_sockets::told(int slot) {
  using namespace sim;
  const unsigned woken = woken_.at(static_cast<std::size_t>(slot)), bits = poll(slot);
  const bool in = (woken & wake::readable) != 0 && (bits & (ready::in | ready::err | ready::hup)) != 0;
  const bool out = (woken & wake::writable) != 0 && (bits & (ready::out | ready::err | ready::hup)) != 0;
  return (in ? ready::in : 0U) | (out ? ready::out : 0U);
}

void model_sockets::collect() {
  for (auto next = kernel_.take_woken(); next.socket != nullptr; next = kernel_.take_woken()) {
    if (const int slot = slot_of(next.socket); slot >= 0)
      woken_.at(static_cast<std::size_t>(slot)) |= next.changes;
  }
}

}  // namespace tp::test::parity
