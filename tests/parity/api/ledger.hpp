// What one side has sent and received: no byte may be lost, changed or come twice, whatever may vary.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "setting.hpp"
#include "step.hpp"

namespace tp::test::parity::api {

class ledger {
 public:
  explicit ledger(const cast& who) : who_(who) {}
  void begin(const step& s);
  void end(const completion& c);

  /// The other end of a connection, by its number; 0: unknown.
  [[nodiscard]] std::uint16_t peer(std::uint16_t connection) const;
  /// Bytes that were sent to it, or are being sent, and that it hasn't received.
  [[nodiscard]] std::uint64_t unread(std::uint16_t connection) const;
  /// Is more being sent than fits into a connection?
  [[nodiscard]] bool is_any_large() const;
  [[nodiscard]] bool pending(std::uint16_t op) const { return pending_.contains(op); }
  [[nodiscard]] const std::map<std::uint16_t, step>& all_pending() const noexcept { return pending_; }
  /// What is wrong about what was received, in a sentence; empty: nothing.
  [[nodiscard]] std::string error() const;

 private:
  struct sent {
    std::uint16_t op;
    std::uint64_t n;
    errc code;  ///< none also while it is pending
    bool is_pending;
  };
  struct arrival {
    std::uint64_t total, data;
  };
  struct line {
    bool is_message = false;
    std::uint16_t peer = 0;
    std::vector<sent> out;
    std::uint64_t received = 0, data = 0;
    std::vector<arrival> messages;  ///< received, whole
  };

  /// One that waits for its other end, where nothing but the order tells which it is.
  struct comer {
    std::uint16_t op;  ///< 0: a client that has left
    person who;        ///< the client
  };
  struct comers {
    std::deque<comer> clients, accepted;
  };

  void meet(const step& s, const completion& c);
  void meet_in_order(const step& s, const completion& c);
  void pair(std::uint16_t one, std::uint16_t other);
  [[nodiscard]] static std::string error_of_bytes(const line& from, const line& to);
  [[nodiscard]] static std::string error_of_messages(const line& from, const line& to);

  const cast who_;
  std::map<std::uint16_t, step> pending_;
  std::map<std::uint16_t, line> lines_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, step> unmet_;  ///< place and id; who has come first
  std::map<std::uint16_t, comers> comers_;                         ///< of places of the raw profile
};

}  // namespace tp::test::parity::api
