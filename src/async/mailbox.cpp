// Notes from other threads to a runtime.
#include "async/mailbox.hpp"

#include "async/mutex_guard.hpp"

namespace tp::detail {

mailbox::mailbox(std::unique_ptr<backend::mutex> lock, std::shared_ptr<backend::waker> waker) noexcept
    : lock_(std::move(lock)), waker_(std::move(waker)) {}

bool mailbox::post(mail& note) noexcept {
  {
    const mutex_guard held(*lock_);
    if (closed_) return false;
    if (note.queued) return true;
    note.queued = true;
    note.next = nullptr;
    note.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &note;
    last_ = &note;
    ++waiting_;
  }
  waker_->wake();
  return true;
}

bool mailbox::retract(mail& note) noexcept {
  const mutex_guard held(*lock_);
  if (!note.queued) return false;
  unlink(note);
  return true;
}

void mailbox::unlink(mail& note) noexcept {
  (note.previous != nullptr ? note.previous->next : first_) = note.next;
  (note.next != nullptr ? note.next->previous : last_) = note.previous;
  note.queued = false;
  --waiting_;
}

// One note at a time: delivering one may retract, and destroy, the next. Notes posted meanwhile wake the next
// turn.
void mailbox::deliver() noexcept {
  std::size_t left = 0;
  {
    const mutex_guard held(*lock_);
    left = waiting_;
  }
  for (; left > 0; --left) {
    mail* note = nullptr;
    {
      const mutex_guard held(*lock_);
      note = first_;
      if (note == nullptr) return;
      unlink(*note);
    }
    note->deliver(*note);
  }
  const mutex_guard held(*lock_);
  if (first_ != nullptr) waker_->wake();
}

void mailbox::close() noexcept {
  const mutex_guard held(*lock_);
  closed_ = true;
}

}  // namespace tp::detail
