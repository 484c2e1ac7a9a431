// Which thread of a world runs, and when time passes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chronicle.hpp"
#include "fiber.hpp"
#include "ring.hpp"
#include "timers.hpp"
#include "twinpipe/backend/op.hpp"
#include "twinpipe/identity.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::sim {

struct process_record;

/// What a thread waits for.
enum class wait : std::uint8_t {
  nothing,
  turn,  ///< of a system, until something of it completes
  mutex,
  condition,
  event,
  interrupt,
  thread_end,
  time,
  data,
  room,
  readiness,
  drained,
  world_end,    ///< outside, in world::run
  process_end,  ///< whoever killed it
};

/// One thread of a simulated process, or what called the world from outside.
struct thread {
  std::uint32_t number = 0;
  std::string name;
  process_record* process = nullptr;  ///< null: outside
  fiber stack;
  std::function<void()> body = {};  ///< until it has ended
  scheduler* runs_in = nullptr;
  sim::wait waits = wait::nothing;
  /// The handle of a stream, data or a turn; the thread whose end it is; of a mutex the place where its
  /// holder stands.
  const void* awaited = nullptr;
  time_point since{};      ///< when it began to wait
  unsigned overtaken = 0;  ///< so often it was let go on for a mutex, and another had taken it
  std::size_t timer = 0;
  bool timed_out = false;
  bool dying = false;  ///< its process was killed, and it has to end
  bool ended = false;
  std::unique_ptr<identity> acts_as = {};  ///< see impersonator
  std::vector<thread*> joiners = {};

  [[nodiscard]] bool outside() const noexcept { return process == nullptr; }
};

/// All threads of a world, of which one runs at a time, on the thread of the program that calls the world.
/// Control goes from one to the next at the points that the world's operations are, and by nothing else.
///
/// Threads of a killed process come before all others, and without a choice, until they have ended.
class scheduler {
 public:
  enum class end : std::uint8_t {
    woken,
    timed_out,
    stalled,  ///< outside only: nothing can ever happen, or the world was halted
    killed,
  };

  explicit scheduler(std::size_t kept_events);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  ~scheduler();

  [[nodiscard]] time_point now() const noexcept { return now_; }
  [[nodiscard]] thread& current() noexcept { return *current_; }
  [[nodiscard]] const thread& current() const noexcept { return *current_; }
  [[nodiscard]] thread& outside() noexcept { return outside_; }
  [[nodiscard]] sim::chronicle& chronicle() noexcept { return chronicle_; }
  [[nodiscard]] const std::vector<std::shared_ptr<thread>>& threads() const noexcept { return threads_; }
  [[nodiscard]] const sim::chronicle& chronicle() const noexcept { return chronicle_; }

  /// Before an operation: others may go first.
  void point() {
    count_step();
    if (current_->dying) return count_last_step();
    if (ready_.empty()) return;
    if (++points_ > most_points) return be_made_to_wait();
    if (const std::uint32_t chosen = chronicle_.choose(ready_.size() + 1, choice::preempt); chosen != 0)
      give_way(chosen - 1);
  }
  /// The current thread waits until it is woken, or until then.
  end block(sim::wait what, const void* on, time_point until, std::uint64_t shown = 0);
  void wake(thread& who) noexcept;
  /// It begins when it is its turn.
  std::shared_ptr<thread> start(process_record& process, std::string name, std::function<void()> body);
  /// The operation is made ready at its deadline, by the loop it belongs to.
  void set_timer(backend::op& o, time_point when) { timers_.add(when, {nullptr, &o}, o.twin.slot); }
  void clear_timer(backend::op& o) noexcept { timers_.remove(o.twin.slot); }
  /// Those of a paused process don't go on until they are resumed. `seen`: in the trace, too, and not only as
  /// a part of its death.
  void pause_threads(process_record& process, bool seen = false);
  void resume_threads(process_record& process, bool seen = false);
  /// All threads of the process end before anything else happens, but for the current one if it is one of
  /// them.
  void kill_threads(process_record& process);

  /// 0 for the threads of a killed process.
  [[nodiscard]] std::uint32_t choose(std::size_t bound, choice what) {
    return current_->dying ? 0 : chronicle_.choose(bound, what);
  }
  [[nodiscard]] bool happens(std::uint32_t one_in, choice what) {
    return !current_->dying && chronicle_.happens(one_in, what);
  }
  void note(happening what, std::uint32_t object = 0, std::uint32_t value = 0, std::uint8_t kind = 0,
            errc code = errc::none) noexcept {
    chronicle_.note({now_, current_->number, what, kind, static_cast<std::uint8_t>(code), object, value});
  }
  /// What the trace shows of it is another number than the object's, which may differ where the run does not.
  void note_showing(std::uint64_t shown, happening what, std::uint32_t object = 0,
                    std::uint8_t kind = 0) noexcept {
    chronicle_.note({now_, current_->number, what, kind, 0, object, 0}, shown);
  }
  /// For the trace alone.
  void remark(happening what, std::uint32_t object = 0, std::uint32_t value = 0,
              std::uint8_t kind = 0) noexcept {
    chronicle_.remark({now_, current_->number, what, kind, 0, object, value});
  }

  /// Where nobody else may go on, so that it is no point, but where nobody may go round for ever either.
  void step() {
    count_step();
    if (current_->dying) count_last_step();
  }
  /// Times that a thread had to let others go on, see most_points.
  [[nodiscard]] std::uint64_t forced() const noexcept { return forced_; }
  /// In all.
  void allow_steps(std::uint64_t most) noexcept;
  // From any thread of the program.
  [[nodiscard]] std::uint32_t running_thread() const noexcept {
    return running_thread_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_.load(std::memory_order_acquire); }
  /// From now on nobody but outside, and who dies, goes on; it returns only when the process of the calling
  /// thread was killed.
  void leave_for_good();
  /// A thread that is dying lets the others of its process go on, for what it waits for will not come.
  void let_others_die();
  /// The world that has control on this thread of the program; null: none, or it is outside.
  static constinit thread_local world::state* running;
  /// All of a world is the business of one thread of the program, the one that made it. Another one's call
  /// ends the program: `call` says what it was, in the words of a user.
  void check_caller(std::string_view call) const {
    if (is_foreign()) [[unlikely]]
      refuse_foreign(call);
  }
  [[nodiscard]] bool is_foreign() const noexcept { return &running != owner_; }
  [[noreturn]] void refuse_foreign(std::string_view call) const;
  /// A line for a report; none: nobody can, it is no run of an exploration.
  std::function<std::string()> how_to_replay;
  /// What happens when the bound on steps is passed and, `late`, at each of the last steps before that.
  std::function<void(bool late)> on_step_bound;
  /// Calls `visit` for all that is due, in its order: with the time, the thread that waits or null, and the
  /// operation or null.
  template <class Visit>
  void visit_timers(const Visit& visit) const {
    timers_.visit([&](time_point when, const due& what) { visit(when, what.who, what.what); });
  }

 private:
  struct due {
    thread* who;
    backend::op* what;
  };
  /// A thread that never waits lets the others go on after so many points; that is no choice.
  static constexpr unsigned most_points = 1000;
  void give_way(std::size_t to);
  void be_made_to_wait();
  void switch_to(thread& next);
  thread& next();
  void pass_time();
  static fiber* run(void* self);
  void exceed_steps();
  void count_last_step();

  void count_step() {
    const std::uint64_t now = steps_.load(std::memory_order_relaxed) + 1;
    steps_.store(now, std::memory_order_release);
    if (now > most_steps_) exceed_steps();
  }

  void let_run(thread& who) noexcept;

  const void* const owner_ = &running;  ///< differs between threads that are alive
  sim::chronicle chronicle_;
  thread outside_;
  thread* current_ = &outside_;
  ring<thread*> ready_;
  ring<thread*> dying_;
  ring<thread*> paused_;  ///< could go on
  timers<due> timers_;
  std::vector<std::shared_ptr<thread>> threads_;  ///< that have not ended, in the order of their starts
  std::shared_ptr<thread> last_ended_;            ///< what its stack still stands in
  time_point now_{};
  std::atomic<std::uint32_t> running_thread_ = 0;  ///< its number, for others to look
  std::atomic<std::uint64_t> steps_ = 0;           ///< likewise
  std::uint64_t most_steps_ = UINT64_MAX;          ///< without being looked at
  std::uint64_t step_bound_ = UINT64_MAX;
  std::uint64_t forced_ = 0;
  unsigned points_ = 0;      ///< since another thread ran
  unsigned last_steps_ = 0;  ///< of threads that have to end, since one of them ended
  std::uint32_t started_ = 0;
  bool stalled_ = false;
  bool halted_ = false;  ///< see leave_for_good
};

}  // namespace tp::sim
