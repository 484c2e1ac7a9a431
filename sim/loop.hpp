// Time and order of a world, and the handles at which a process's operations wait.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory_resource>
#include <optional>
#include <vector>

#include "twinpipe/backend/system.hpp"

namespace tp::sim {

struct process_record;
using process_ref = std::shared_ptr<process_record>;

enum class kind : std::uint8_t { read, write, shutdown, drain, accept, connect, sleep, schedule };

/// The clock, and the queue of what is ready: first in, first out over all processes. Time moves only when
/// nothing is.
class loop {
 public:
  [[nodiscard]] time_point now() const noexcept { return now_; }
  /// For a caller that waits outside a turn.
  void advance(time_point to) noexcept { now_ = std::max(now_, to); }
  /// For what comes and goes with every operation, so that in the steady state nothing is allocated.
  [[nodiscard]] std::pmr::memory_resource& memory() noexcept { return memory_; }
  backend::turn_result turn(time_point until) noexcept;

 private:
  backend::turn_result take_turn(time_point until) noexcept;
  friend class handle;
  void park(backend::op& o) noexcept;
  void make_ready(backend::op& o) noexcept;

  std::pmr::unsynchronized_pool_resource memory_;
  std::pmr::deque<backend::op*> ready_{&memory_};                                     ///< null: forgotten
  std::pmr::map<std::pair<time_point, std::size_t>, backend::op*> timers_{&memory_};  ///< of what isn't ready
  time_point now_{};
  std::size_t started_ = 0;
  unsigned immediate_ = 256;  ///< completions that are still granted before the next turn
  bool turning_ = false;
};

/// What the kernel takes back when a process dies, though the object may live on: a stream, an acceptor, a
/// name, a system.
class handle {
 public:
  explicit handle(process_ref owner);
  virtual ~handle();
  /// Lets go of the kernel's part; operations end with `why`, pending ones on a later turn. Only the first
  /// call counts.
  void end(errc why) noexcept;
  /// Ends, and forgets its operations without completing them.
  void die() noexcept;
  /// Why; none while it is open.
  [[nodiscard]] errc ended() const noexcept { return ended_; }
  /// Operations of that kind may be possible now.
  void wake(kind what) noexcept;
  /// The system whose thread it belongs to, if it does.
  void belong_to(const handle& system) noexcept { system_ = &system; }

 protected:
  /// Tries the operation, adding to its n; nothing if it has to wait.
  virtual std::optional<backend::status> attempt(backend::op&, kind) noexcept { return backend::status{}; }
  virtual void let_go() noexcept {}
  backend::start submit(backend::op& o, kind what) noexcept;
  void request_cancel(backend::op& o) noexcept;
  void forget(backend::op& o) noexcept;
  /// For a system that goes: what belongs to it must have gone before.
  void check_left() const noexcept;
  /// Ends it, and deletes it when the last operation has left.
  void free() noexcept;
  /// Ended, but the kernel's part is somebody else's now.
  void give_away() noexcept { ended_ = errc::closed; }

  const process_ref process_;
  std::vector<backend::op*> pending_;

 private:
  friend class loop;
  bool settle(backend::op& o) noexcept;

  loop& time_;
  const handle* system_ = this;
  errc ended_ = errc::none;
  bool freed_ = false;
};

}  // namespace tp::sim
