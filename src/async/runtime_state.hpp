// The inside of a runtime: its system, its mailbox, what is ready to resume, and the objects that live on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/connection_memory.hpp"
#include "async/mailbox.hpp"
#include "async/resident.hpp"
#include "twinpipe/backend/process.hpp"
#include "twinpipe/detail/operation.hpp"
#include "twinpipe/error.hpp"

namespace tp {
class process;
}

namespace tp::detail {

/// How many threads act as a client, of any process: only then is there a question for the twin.
inline constinit std::atomic<unsigned> client_scopes = 0;

class runtime_state {
 public:
  runtime_state(process& owner, std::unique_ptr<backend::system> system);
  runtime_state(const runtime_state&) = delete;
  runtime_state& operator=(const runtime_state&) = delete;
  /// Closes what still lives here and turns until the backend has let go of it.
  ~runtime_state();

  [[nodiscard]] process& owner() const noexcept { return owner_; }
  [[nodiscard]] backend::process& twin() const noexcept { return twin_; }
  [[nodiscard]] backend::system& system() const noexcept { return *system_; }
  [[nodiscard]] mailbox& mail() const noexcept { return *mailbox_; }
  [[nodiscard]] const std::shared_ptr<mailbox>& shared_mail() const noexcept { return mailbox_; }
  [[nodiscard]] time_point now() const noexcept { return system_->now(); }

  backend::turn_result turn(time_point until) {
    check_thread_of_message();
    if (turning_ || (impersonating() && !turns_as_client_)) refuse_turn();
    struct mark {
      bool& set;
      ~mark() { set = false; }
    };
    turning_ = true;
    const mark turning{turning_};
    return system_->turn(until);
  }

  /// Completes the operation at its deadline, in a later turn though that has passed; it counts for `owner`.
  void sleep(backend::op& op, resident& owner) {
    const bool done = system_->sleep(op) == backend::start::done;
    // Only a dead process can't sleep. No turn will end it then, so nobody is kept for its end.
    if (done && !op.result.ok()) return;
    owner.retain();
    if (done) system_->schedule(op);
  }

  /// Resumes the operation's waiter on a later turn.
  void defer(operation_base& op) noexcept;

  /// Only files may be used while a callable runs as a client: a client of any runtime, for the identity is
  /// the thread's.
  [[nodiscard]] bool impersonating() const noexcept {
    return client_scopes.load(std::memory_order_relaxed) != 0 && impersonator_.active();
  }

  /// Being destroyed: what starts now is closed at once.
  [[nodiscard]] bool ending() const noexcept { return ending_; }

  /// The name in quotes, for errors: one text for connections to one name that follow each other.
  [[nodiscard]] shared_text subject_of(const std::string& name);

  connection_memory memory;

  std::size_t lingering_refusals = 0;  ///< clients being told no, see refusal.cpp
  std::size_t unsaid_refusals = 0;     ///< those whose last words the system doesn't have yet

  /// A runtime, and what was made on it, belongs to one thread. Calls that are rare ask in every build, those
  /// that every message makes in a debug build only.
  void check_thread() const noexcept;
  void check_thread_of_message() const noexcept {
#ifndef NDEBUG
    check_thread();
#endif
  }
  /// From now on to the calling one.
  void adopt_thread() noexcept { thread_ = twin_.threads().this_thread(); }

  /// It serves one call of this thread, which may be made inside run_as_client.
  void allow_as_client() noexcept { turns_as_client_ = true; }

  /// Nobody turns it: the threads that call do what is pending, whichever holds the lock that it belongs to.
  void leave_to_callers() noexcept { thread_.reset(); }
  [[nodiscard]] bool left_to_callers() const noexcept { return !thread_; }

 private:
  friend class resident;
  [[noreturn, gnu::cold]] void refuse_turn() const noexcept;
  void resume_ready() noexcept;
  void evict_all() noexcept;

  process& owner_;
  backend::process& twin_;
  backend::impersonator& impersonator_;
  std::unique_ptr<backend::system> system_;
  bool turning_ = false;
  bool turns_as_client_ = false;
  bool ending_ = false;
  std::shared_ptr<mailbox> mailbox_;
  resident* residents_ = nullptr;
  operation_base* ready_first_ = nullptr;
  operation_base* ready_last_ = nullptr;
  backend::op ready_op_;
  std::optional<std::uint64_t> thread_;
  std::string last_name_;
  shared_text last_subject_;
};

}  // namespace tp::detail
