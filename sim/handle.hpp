// The objects at which a process's operations wait, and where those go that can be done.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "scheduler.hpp"
#include "twinpipe/backend/blocking.hpp"
#include "twinpipe/backend/system.hpp"
#include "twinpipe/sim/fault.hpp"

namespace tp::sim {

class unix_socket;

using process_ref = std::shared_ptr<process_record>;

/// Kinds of operations. Of those before `connect` one at a time may be pending on one object; readable and
/// writable only wait, and lock is no operation, but a word in the trace.
enum class kind : std::uint8_t {
  read,
  write,
  shutdown,
  drain,
  accept,
  readable,
  writable,
  connect,
  sleep,
  schedule,
  lock
};

/// Several of them.
using kinds = std::uint16_t;
template <class... Kind>
[[nodiscard]] constexpr kinds kinds_of(Kind... each) noexcept {
  return static_cast<kinds>((0U | ... | (1U << std::to_underlying(each))));
}
/// "read", "shut down": the verb.
[[nodiscard]] std::string_view name_of(kind what) noexcept;

/// Of an operation that is pending.
namespace phases {
inline constexpr std::uint8_t is_ready = 1, is_cancelled = 2, is_withdrawn = 4, is_call = 8;
/// Its time has not come; it will fail; its deadline comes before its time.
inline constexpr std::uint8_t is_delayed = 16, is_failing = 32, is_too_late = 64;
/// See buffer_watch.hpp.
inline constexpr std::uint8_t is_watched = 128;
}  // namespace phases

/// What a try of an operation came to, or, made without one, that it has to wait. A single byte: an optional
/// status is written in parts and read whole, which stalls a processor for longer than a try takes.
class attempt_result {
 public:
  attempt_result() noexcept = default;
  attempt_result(errc came_to) noexcept : value_(std::to_underlying(came_to)) {}
  [[nodiscard]] explicit operator bool() const noexcept { return value_ != waits; }
  [[nodiscard]] errc code() const noexcept { return static_cast<errc>(value_); }

 private:
  static constexpr std::uint8_t waits = 255;
  static_assert(sizeof(errc) == sizeof waits);
  std::uint8_t value_ = waits;
};

/// How much of a read's memory is watched: one that is only put off to the next turn has it for a moment.
enum class buffer_part : std::uint8_t { ends, all };

/// Operations of one loop that can be done, or are over, until its next turn.
struct ready_list {
  static constexpr unsigned immediate_per_turn = 256;
  ring<backend::op*> ops;
  thread* turns = nullptr;  ///< who waits for one
  bool turning = false;
  unsigned immediate = immediate_per_turn;  ///< completions that are still granted before the next turn
};

/// What ends the wait of a thread from another one.
struct raised_flag {
  bool raised = false;
  thread* waits = nullptr;
};

/// An act of calls that is put off: before its time none of them does anything.
struct held_act {
  time_point due;
  errc fails;  ///< what comes of it then; none: it is tried
};

class handle;

/// What a process has, in the order of opening. A place whose handle has gone stays empty for a while: one of
/// a hundred thousand connections goes without a look at the others, and also while somebody goes through
/// them.
class handle_table {
 public:
  class iterator {
   public:
    iterator(handle* const* at, handle* const* end) noexcept : at_(at), end_(end) { skip(); }
    handle* operator*() const noexcept { return *at_; }
    iterator& operator++() noexcept {
      ++at_;
      skip();
      return *this;
    }
    bool operator==(const iterator&) const noexcept = default;

   private:
    void skip() noexcept {
      while (at_ != end_ && *at_ == nullptr) ++at_;
    }
    handle* const* at_;
    handle* const* end_;
  };
  void add(handle& opened);
  void remove(const handle& gone) noexcept;
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] iterator begin() const noexcept { return {places_.data(), places_.data() + places_.size()}; }
  [[nodiscard]] iterator end() const noexcept {
    return {places_.data() + places_.size(), places_.data() + places_.size()};
  }
  /// For who goes through them while they may go: places so far, and what is there or null.
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] handle* at(std::size_t place) const noexcept { return places_[place]; }

 private:
  void close_gaps() noexcept;
  std::vector<handle*> places_;
  std::size_t count_ = 0;
};

/// What the kernel takes back when a process dies, though the object may live on: a stream, an acceptor, a
/// name, a system.
class handle {
 public:
  /// `number`: of an object of the kernel's that had another handle before; 0: a new one.
  explicit handle(process_ref owner, std::uint32_t number = 0);
  virtual ~handle();
  /// Lets go of the kernel's part; operations end with `why`, pending ones on a later turn. Only the first
  /// call counts.
  void end(errc why) noexcept;
  /// close(2), before which others may go on.
  void close_now() noexcept;
  /// Why it can't be used any more; none while it can.
  [[nodiscard]] errc ended() const noexcept;
  /// Has it the kernel's part? Of a process that is being killed it may have, though it can't be used.
  [[nodiscard]] bool open() const noexcept { return ended_ == errc::none; }
  /// Operations of these kinds may be possible now.
  void wake(kinds which) noexcept;
  /// What it watches a socket for has come; bits of wake.
  virtual void changed(std::uint8_t) noexcept {}
  /// The system whose thread it belongs to; null: a thread that calls.
  void belong_to(handle& system) noexcept {
    system_ = &system;
    queue_ = system.queue_;
  }
  /// Ends, and forgets its operations without completing them.
  void die() noexcept;
  /// For planted errors: what is pending, one after the other.
  [[nodiscard]] backend::op* first_pending() const noexcept { return pending_; }
  /// Likewise: it stands once more among those that are ready.
  void queue_again(backend::op& o) noexcept { queue_->ops.push(&o); }
  /// An operation's deadline has come.
  void be_due(backend::op& o) noexcept;
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  /// "connection 7", for reports.
  [[nodiscard]] virtual std::string describe() const = 0;
  /// Is all that it waits for the next client?
  [[nodiscard]] bool waits_for_clients_only() const noexcept;
  [[nodiscard]] const process_record& process() const noexcept { return *process_; }
  [[nodiscard]] const handle* system() const noexcept { return system_; }
  /// What it has open that others see the end of; null: nothing.
  [[nodiscard]] virtual unix_socket* socket() noexcept { return nullptr; }
  /// "to read, to write": the operations that are pending.
  [[nodiscard]] std::string describe_pending() const;

 protected:
  /// Tries the operation, adding to its n; nothing if it has to wait, or goes on in a moment.
  virtual attempt_result attempt(backend::op&, kind) noexcept { return errc::none; }
  virtual void let_go() noexcept {}
  /// For attempt(): what it leaves undone is to be tried again without waiting for anything.
  void go_on_soon() noexcept { goes_on_ = true; }
  backend::start submit(backend::op& o, kind what) noexcept;
  /// The calling thread waits for it, until the operation's deadline; it is done then.
  backend::start call(backend::op& o, kind what);
  /// The calling thread waits until a read, a write or either would not wait, or `until` is raised.
  backend::status wait_for(backend::readiness what, time_point deadline, raised_flag* until);
  void request_cancel(backend::op& o) noexcept;
  /// For a system that goes: what belongs to it must have gone before.
  void check_left() const noexcept;
  /// Ends it, and deletes it when the last operation has left.
  void free() noexcept;
  /// A call leaves.
  void leave() noexcept {
    --calls_;
    if (freed_ && idle()) delete this;
  }
  /// Ended, but the kernel's part is somebody else's now.
  void give_away() noexcept {
    forget_acts();
    ended_ = errc::closed;
  }
  [[nodiscard]] bool idle() const noexcept { return pending_ == nullptr && calls_ == 0; }
  [[nodiscard]] scheduler& time() const noexcept;  // kernel.hpp
  /// Of reads or writes: so many bytes more were moved than those that have ended told; in arithmetic modulo
  /// 2^32.
  [[nodiscard]] std::uint32_t untold(kind what) const noexcept { return untold_[std::to_underlying(what)]; }
  void has_moved(kind what, std::size_t bytes) noexcept {
    untold_[std::to_underlying(what)] += static_cast<std::uint32_t>(bytes);
  }
  /// Of a system: where what belongs to it waits, from before there is any of it.
  void use_list(ready_list& own) noexcept { queue_ = &own; }

  const process_ref process_;
  world::state& world_;  ///< the process's

 private:
  friend class system;
  friend class handle_table;
  void call_link(backend::op& o, kind what) noexcept;
  bool settle(backend::op& o) noexcept;
  attempt_result attempt_or_stop(backend::op& o, kind what) noexcept;
  [[gnu::cold]] bool refuse_second_end(const backend::op& o) const noexcept;
  void make_ready(backend::op& o) noexcept;
  void park(backend::op& o) noexcept;
  void check_alone(kind what) const noexcept;
  void begin(backend::op& o, kind what, buffer_part how_much) noexcept;
  fault fault_of(kind what);
  // Of calls, of which the rules for faults are asked once until they come to something.
  attempt_result call_under_rules(backend::op& o, kind what);
  void wait_in_call(backend::op& o, kind what, sim::wait why, time_point until);
  attempt_result look_in_call(backend::op& o, kind for_what, time_point& until) noexcept;
  [[nodiscard]] const held_act* held(kind what) const noexcept;
  void end_act(kind what) noexcept;
  void forget_acts() noexcept {
    for (std::uint8_t what = 0; acts_begun_ != 0; ++what) end_act(static_cast<kind>(what));
  }
  backend::start hold_back(backend::op& o, kind what, const fault& wrong) noexcept;
  void link(backend::op& o) noexcept;
  void unlink(backend::op& o) noexcept;
  void check_buffers(const backend::op& o, kind what) const;
  [[gnu::cold]] void report_touched(kind what) const;
  void note_done(const backend::op& o, kind what, errc came_to) noexcept;
  void count_told(const backend::op& o, kind what) noexcept {
    if (what <= kind::write) untold_[std::to_underlying(what)] -= static_cast<std::uint32_t>(o.n);
  }

  handle* system_ = nullptr;
  ready_list* queue_;                      ///< where what can be done waits for a turn: its system's
  backend::op* pending_ = nullptr;         ///< linked by next and previous
  std::array<std::uint32_t, 2> untold_{};  ///< of reads, of writes
  unsigned calls_ = 0;                     ///< threads that are inside
  std::uint32_t number_;
  std::uint32_t place_ = 0;  ///< in the table of its process
  errc ended_ = errc::none;
  std::uint8_t acts_begun_ = 0;  ///< kinds of which a call was asked about that isn't over, see held_act
  bool freed_ = false;
  bool goes_on_ = false;
};

}  // namespace tp::sim
