// The model with one error in it, to show that the scripts would find it.
#pragma once

#include <array>
#include <cerrno>
#include <deque>

#include "model_sockets.hpp"

namespace tp::test::parity {

enum class planted : std::uint8_t {
  nothing,
  // capacity
  object_is_free,     ///< a buffer is charged without the memory of its skb
  no_overshoot,       ///< a write is admitted only if its charge still fits
  charged_by_bytes,   ///< a read of a part gives a part back
  writable_to_limit,  ///< poll says writable as long as a write would succeed
  told_by_each_read,  ///< writers are woken by reads that free no buffer
  never_told,         ///< writers aren't woken when the charge falls
  still_charged,      ///< what the peer throws away stays charged
  // the end
  reset_twice,
  reset_to_writers,  ///< a write gives ECONNRESET, and uses it up
  reset_before_data,
  reset_stays,  ///< SO_ERROR doesn't use it up
  reset_never,
  reset_always,            ///< also if all had been read
  reset_but_for_shutdown,  ///< none if the peer had shut down writing before
  end_hidden_by_data,      ///< poll shows ERR, HUP and RDHUP only when all is read
  hangup_by_close_only,
  // half-close
  deaf_peer_hangs_up,    ///< HUP after the peer's SHUT_RD
  deaf_peer_is_written,  ///< writes succeed after it
  deafness_discards,     ///< SHUT_RD throws away what is queued
  // listening
  backlog_of_n,
  full_is_refused,
  silent_is_full,      ///< EAGAIN by one that is bound and doesn't listen
  fresh_is_quiet,      ///< no HUP before a connection
  gone_is_skipped,     ///< accept passes over clients that have left
  queued_only_end,     ///< the clients of a closed listener get no reset
  queued_stay,         ///< they don't notice
  empty_accept_fails,  ///< EINVAL where the client went to another acceptor
  arrival_untold,      ///< acceptors aren't woken
  // bytes
  nothing_is_told,   ///< a zero-byte write wakes the reader
  reads_stay_apart,  ///< a read ends with a buffer
  urgent_arrives,
  urgent_joins,  ///< it doesn't split the read
};

class planted_sockets final : public model_sockets {
 public:
  explicit planted_sockets(planted error);

 private:
  outcome listen(int slot, std::uint32_t backlog) override;
  outcome connect(int slot, int to) override;
  outcome accept(int slot, int into) override;
  outcome send(int slot, std::span<const std::byte> bytes) override;
  outcome urgent(int slot, std::span<const std::byte> bytes) override;
  outcome recv(int slot, std::size_t n) override;
  outcome error(int slot) override;
  outcome shutdown(int slot, sim::unix_socket::direction which) override;
  outcome close(int slot) override;
  unsigned poll(int slot) override;
  std::uint32_t outq(int slot) override;
  unsigned told(int slot) override;

  outcome read_as_planted(int slot, std::size_t n);
  void close_listener(int slot);

  struct memory {
    std::uint32_t backlog = 0;
    std::size_t partly_read = 0;  ///< by the peer, of its first buffer
    std::uint32_t charged = 0;    ///< for ever
    bool was_reset = false, shut = false, ended = false;
    bool deaf_peer = false;
    unsigned told = 0;
    std::deque<std::size_t> sizes{};  ///< of what comes in
  };
  [[nodiscard]] memory& of(int slot) { return remembered_.at(static_cast<std::size_t>(slot)); }
  [[nodiscard]] memory* of_peer(int slot);

  const planted error_;
  std::array<memory, slots> remembered_{};
};

}  // namespace tp::test::parity
