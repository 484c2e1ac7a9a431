// The inside of a runtime.
#include "async/runtime_state.hpp"

#include "async/operation_steps.hpp"
#include "fatal.hpp"
#include "twinpipe/escape.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {

resident::resident(runtime_state& runtime) noexcept : runtime_(runtime), next_(runtime.residents_) {
  if (next_ != nullptr) next_->previous_ = this;
  runtime.residents_ = this;
}

resident::~resident() {
  (previous_ != nullptr ? previous_->next_ : runtime_.residents_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

runtime_state::runtime_state(process& owner, std::unique_ptr<backend::system> system)
    : memory(owner.memory()),
      owner_(owner),
      twin_(owner.twin()),
      impersonator_(twin_.impersonator()),
      system_(std::move(system)),
      mailbox_(std::make_shared<mailbox>(twin_.threads().make_mutex(backend::mutex_kind::leaf),
                                         system_->get_waker())),
      ready_op_([](backend::op& op) noexcept { static_cast<runtime_state*>(op.context)->resume_ready(); },
                this),
      thread_(twin_.threads().this_thread()) {
  system_->on_wake([](void* self) noexcept { static_cast<runtime_state*>(self)->mailbox_->deliver(); }, this);
}

runtime_state::~runtime_state() {
  check_thread();
  if (turning_) fatal("a runtime was destroyed inside one of its own turns");
  ending_ = true;
  constexpr int turns_enough = 10'000;
  for (int i = 0; i < turns_enough && (residents_ != nullptr || ready_op_.pending()); ++i) {
    evict_all();
    if (system_->settle()) continue;
    if (system_->turn(deadline_after(system_->now(), std::chrono::milliseconds(1))) ==
        backend::turn_result::stalled) {
      break;
    }
  }
  if (residents_ != nullptr) {
    fatal("a runtime was destroyed while a connection, listener or operation of it was still in use");
  }
  mailbox_->close();
  mailbox_->deliver();
}

shared_text runtime_state::subject_of(const std::string& name) {
  if (last_subject_ == nullptr || name != last_name_) {
    shared_text made = make_text(in_quotes(name));
    last_name_ = name;
    last_subject_ = std::move(made);
  }
  return last_subject_;
}

// An eviction may end others and make new ones, which come first in the list; so it is walked again until
// nobody is left to evict. Who was evicted may stay for a while, until the backend has let go of it.
void runtime_state::evict_all() noexcept {
  for (bool found = true; found;) {
    found = false;
    for (ref<resident> each(residents_); each; each = ref<resident>(each->next_)) {
      if (std::exchange(each->evicted_, true)) continue;
      found = true;
      each->evict();
    }
  }
}

void runtime_state::defer(operation_base& op) noexcept {
  op.next_ready_ = nullptr;
  (ready_last_ != nullptr ? ready_last_->next_ready_ : ready_first_) = &op;
  ready_last_ = &op;
  if (!ready_op_.pending()) system_->schedule(ready_op_);
}

// What becomes ready meanwhile waits for the next turn.
void runtime_state::resume_ready() noexcept {
  operation_base* const last = ready_last_;
  while (ready_first_ != nullptr) {
    operation_base& op = *ready_first_;
    ready_first_ = op.next_ready_;
    if (ready_first_ == nullptr) ready_last_ = nullptr;
    const bool was_last = &op == last;
    op.complete();
    if (was_last) break;
  }
  if (ready_first_ != nullptr && !ready_op_.pending()) system_->schedule(ready_op_);
}

void runtime_state::check_thread() const noexcept {
  if (thread_ && twin_.threads().this_thread() != *thread_)
    fatal("a runtime was used by a thread that it doesn't belong to");
}

void runtime_state::refuse_turn() const noexcept {
  if (impersonating() && !turns_as_client_) fatal("a runtime was turned inside run_as_client");
  fatal("a runtime was turned inside one of its own turns");
}

}  // namespace tp::detail
