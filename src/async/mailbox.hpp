// Notes from other threads to a runtime.
#pragma once

#include <cstddef>
#include <memory>

#include "twinpipe/backend/system.hpp"
#include "twinpipe/backend/threads.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

/// First in, first out. Shared, so that it outlives the runtime for whoever still holds it; once closed it
/// takes no notes.
class mailbox {
 public:
  mailbox(std::unique_ptr<backend::mutex> lock, std::shared_ptr<backend::waker> waker) noexcept;

  /// Any thread. A note that is queued already stays where it is. False: the runtime is gone.
  bool post(mail& note) noexcept;
  /// Any thread. Afterwards the note isn't in the mailbox; true if it was.
  bool retract(mail& note) noexcept;
  /// The runtime's thread: delivers what came before the call.
  void deliver() noexcept;
  void close() noexcept;

 private:
  void unlink(mail& note) noexcept;

  std::unique_ptr<backend::mutex> lock_;
  std::shared_ptr<backend::waker> waker_;
  mail* first_ = nullptr;
  mail* last_ = nullptr;
  std::size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace tp::detail
