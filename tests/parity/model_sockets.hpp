// The simulated twin's sockets as a side of a script.
#pragma once

#include <array>

#include "sim/unix_socket.hpp"
#include "sockets.hpp"

namespace tp::test::parity {

/// Its parts are virtual so that an error can be planted into one of them.
class model_sockets : public sockets {
 public:
  explicit model_sockets(const sim::unix_charges& charges = sim::linux_6_18);
  outcome apply(const operation& o) final;
  std::array<state, slots> look() final;

 protected:
  [[nodiscard]] sim::unix_socket& at(int slot) const { return *open_.at(static_cast<std::size_t>(slot)); }
  /// The slot of a socket, or -1.
  [[nodiscard]] int slot_of(const sim::unix_socket* socket) const;

  virtual outcome listen(int slot, std::uint32_t backlog);
  virtual outcome connect(int slot, int to);
  virtual outcome accept(int slot, int into);
  virtual outcome send(int slot, std::span<const std::byte> bytes);
  virtual outcome urgent(int slot, std::span<const std::byte> bytes);
  virtual outcome recv(int slot, std::size_t n);
  virtual outcome error(int slot);
  virtual outcome shutdown(int slot, sim::unix_socket::direction which);
  virtual outcome close(int slot);
  virtual unsigned poll(int slot);
  virtual std::uint32_t outq(int slot);
  virtual unsigned told(int slot);

 private:
  outcome keep(sim::unix_socket& socket, int slot);
  outcome fill(const operation& o);
  outcome drain(const operation& o);
  void collect();

  sim::unix_sockets kernel_;
  std::array<sim::unix_socket*, slots> open_{};
  std::array<unsigned, slots> woken_{};  ///< bits of sim::wake
};

}  // namespace tp::test::parity
