// What the threads that serve one endpoint share: its instances, who waits for one, and half-open clients in
// no thread's care.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "async/instance_slot.hpp"
#include "async/mailbox.hpp"
#include "async/withdrawals.hpp"
#include "core/instances.hpp"
#include "twinpipe/backend/names.hpp"
#include "twinpipe/backend/threads.hpp"
#include "twinpipe/endpoint.hpp"
#include "twinpipe/options.hpp"
#include "wire/hello.hpp"

namespace tp::detail {

/// A half-open client between two accepts: its stream, how much of its hello has come, and the time it has
/// left, which stands still meanwhile.
struct parked_peer {
  backend::detached_ptr stream;
  wire::hello_reader hello;
  duration time_left;
};

/// A listener as the endpoint sees it. Everything but the mail is guarded by the endpoint's lock.
struct listener_ticket : mail {
  std::shared_ptr<mailbox> box;
  bool granted = false;   ///< a slot was given to it, which it doesn't know yet
  bool watching = false;  ///< has a slot and takes clients
  bool attended = true;   ///< somebody reads its mail
};

/// Thread-safe. Under its lock there are only queue moves and mail; never a call of the seam, a callback or a
/// destructor.
class endpoint_state : public std::enable_shared_from_this<endpoint_state> {
 public:
  endpoint_state(endpoint_options options, std::string name, std::shared_ptr<backend::bound_name> bound,
                 std::unique_ptr<backend::mutex> lock, std::shared_ptr<withdrawals> leaving);
  endpoint_state(const endpoint_state&) = delete;
  endpoint_state& operator=(const endpoint_state&) = delete;
  ~endpoint_state();

  [[nodiscard]] const endpoint_options& options() const noexcept { return options_; }
  [[nodiscard]] const shared_text& subject() const noexcept { return subject_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::shared_ptr<backend::bound_name>& bound() const noexcept { return bound_; }
  [[nodiscard]] endpoint_statistics statistics() const;
  [[nodiscard]] std::uint64_t next_connection_id() noexcept;

  bool enrol(listener_ticket& ticket);
  void attend(listener_ticket& ticket, bool yes);
  /// Takes back a slot that was granted and not fetched.
  void strike(listener_ticket& ticket) noexcept;

  enum class answer : std::uint8_t { now, later, closed };
  /// First come, first served over all threads. After `later` mail comes.
  [[nodiscard]] answer request_slot(listener_ticket& ticket);
  /// After mail: was a slot granted?
  [[nodiscard]] bool fetch_grant(listener_ticket& ticket);
  void cancel_request(listener_ticket& ticket);
  void release_slot();
  void stop_watching(listener_ticket& ticket);
  [[nodiscard]] bool closed() const;

  /// Tells every listener that watches: whichever is free takes it, and one that is busy with a reply looks
  /// again if that fails. Handed back if the endpoint is closed.
  [[nodiscard]] std::optional<parked_peer> park(parked_peer peer);
  [[nodiscard]] std::optional<parked_peer> adopt();

  /// One more half-open client. If there are too many, the oldest parked one is handed out to be shed;
  /// nullopt with `too_many` set: none is parked.
  struct half_open_admission {
    bool too_many = false;
    std::optional<parked_peer> shed;
  };
  [[nodiscard]] half_open_admission enter_half_open();
  void leave_half_open();
  void count_admitted();
  void count_refused();
  void count_shed();

  void close();

 private:
  void grant_next();
  [[nodiscard]] bool unattended() const noexcept;
  void abandon_parked(std::list<parked_peer>& into) noexcept;
  static void notify(listener_ticket& ticket);

  const endpoint_options options_;
  const std::string name_;
  const shared_text subject_;
  const std::shared_ptr<backend::bound_name> bound_;
  const std::unique_ptr<backend::mutex> lock_;
  const std::shared_ptr<withdrawals> leaving_;

  core::instances instances_;
  std::vector<listener_ticket*> tickets_;
  std::deque<listener_ticket*> line_;
  std::list<parked_peer> parked_;  ///< none costs nothing, where whoever closes takes them along
  endpoint_statistics counts_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
};

/// Closes the endpoint when the last handle is gone; listeners hold one, connections don't.
class endpoint_owner {
 public:
  explicit endpoint_owner(std::shared_ptr<endpoint_state> state) noexcept : state_(std::move(state)) {}
  endpoint_owner(const endpoint_owner&) = delete;
  endpoint_owner& operator=(const endpoint_owner&) = delete;
  ~endpoint_owner() { state_->close(); }

  [[nodiscard]] const std::shared_ptr<endpoint_state>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<endpoint_state> state_;
};

}  // namespace tp::detail
