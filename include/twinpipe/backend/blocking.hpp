// Streams whose calls wait, and what ends a wait from another thread.
#pragma once

#include <cstdint>
#include <memory>

#include "twinpipe/backend/stream.hpp"

namespace tp::backend {

/// Ends waits from another thread. It stays raised until it is lowered, so a raise that comes before the wait
/// isn't lost. Waits in it are one thread's at a time. After a kill wait throws process_killed (simulator).
class interrupt {
 public:
  virtual ~interrupt() = default;
  /// Any thread, also inside a stop callback. Never blocks and never suspends.
  virtual void raise() noexcept = 0;
  virtual void lower() noexcept = 0;
  /// Until it is raised; false: the deadline passed first.
  virtual bool wait(time_point deadline) = 0;
};

/// What a thread waits for before it tries.
enum class readiness : std::uint8_t { readable = 1, writable = 2, either = 3 };

/// A stream that belongs to no system: every start answers done, and waits for as long as its deadline
/// allows. With a deadline that has passed it is one try that doesn't wait; a write goes on as long as the
/// system takes some of it.
///
/// One read, one write or shutdown, one drain, one wait for each direction, and any number of close may run
/// in it at once, each on a thread of its own; detach answers null while another runs, release leaves the
/// object to the last of them. What waits in it ends at its deadline or, with closed, by close(); cancel has
/// no effect. After a kill its calls throw process_killed (simulator), so they are not noexcept.
class blocking_stream : public byte_stream {
 public:
  /// Until a read, a write or either would not wait; ok may be spurious. timed_out, cancelled (`until` is
  /// raised; null: nothing can), closed, io_error. How a start is made that can be stopped, or that waits for
  /// two things: a try, this, a try.
  virtual status wait(readiness what, time_point deadline, interrupt* until) = 0;

 protected:
  ~blocking_stream() = default;
};
using blocking_stream_ptr = std::unique_ptr<blocking_stream, releaser>;

}  // namespace tp::backend
