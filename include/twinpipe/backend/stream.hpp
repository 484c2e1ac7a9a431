// Byte streams and the acceptors they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "twinpipe/backend/op.hpp"
#include "twinpipe/identity.hpp"

namespace tp::backend {

using const_buffer = std::span<const std::byte>;

/// A descriptor or a HANDLE, as its system counts them.
using native_handle = std::intptr_t;

/// Bytes into `into` first and, what doesn't fit, into `spill`; n may therefore exceed into.size(). With both
/// empty it waits until a read would not wait, and moves nothing. ok with n > 0: data. ok with n == 0: the
/// end (unless both were empty). connection_reset: the peer closed without reading all we sent; comes once,
/// after its data, and the next read is the end. Bytes leave the kernel only with an ok result.
struct read_op : op {
  using op::op;
  std::span<std::byte> into;
  std::span<std::byte> spill;
};

/// All bytes of `buffers`, in order; the elements are consumed in place. ok: the kernel has accepted all.
/// Otherwise n of them were accepted; with the capability exact_write the core may go on from there, without
/// it n is a lower bound and the core may only close. broken_pipe: the peer reads no more.
struct write_op : op {
  using op::op;
  std::span<const_buffer> buffers;
};

/// Completes ok when the peer's process has read all we wrote, connection_reset when it closed without
/// reading it, not_supported without the capability drain.
using drain_op = op;

/// An object that a twin frees when the system has let go of it: release() closes it now.
struct releaser {
  template <class T>
  void operator()(T* object) const noexcept {
    object->release();
  }
};

/// A connected stream that belongs to no thread: what an acceptor yields, what connect yields, what detach
/// gives back. It may move between threads. It holds the descriptor or handle, the peer's identity, and bytes
/// the twin has read ahead. Destroying it closes it.
class detached_stream {
 public:
  virtual ~detached_stream() = default;
  [[nodiscard]] virtual const identity& peer() const noexcept = 0;
};
using detached_ptr = std::unique_ptr<detached_stream>;

/// A stream attached to one system (asynchronous) or to none (blocking).
///
/// At most one read, one write and one drain are pending at a time; shutdown and drain wait for no write: the
/// core orders them. An asynchronous stream belongs to its system's thread. A blocking one answers always
/// done; its read, write and close may be called from three threads at once, and after a kill they throw
/// process_killed (simulator), so they are not noexcept.
class byte_stream {
 public:
  virtual start read(read_op& op) = 0;
  virtual start write(write_op& op) = 0;
  /// Ends the sending direction: the peer reads its end after our data. not_supported without the capability
  /// half_close.
  virtual start shutdown(op& op) = 0;
  virtual start drain(drain_op& op) = 0;
  /// Asks; the operation ends cancelled or with its true result, later. Ignored for an operation that isn't
  /// pending here. After the completion none of its remaining bytes travel.
  virtual void cancel(op& op) noexcept = 0;
  /// Pending operations end closed, on a later turn; later starts answer done(closed). What the kernel has
  /// accepted stays readable for the peer. Never blocks; twice is once.
  virtual void close() noexcept = 0;
  /// close(), and frees the object when the last operation has left. Allowed inside its own completion.
  virtual void release() noexcept = 0;
  /// Takes the stream off its thread again. Null if an operation is pending, or the twin can't (Windows,
  /// established).
  [[nodiscard]] virtual detached_ptr detach() noexcept = 0;
  [[nodiscard]] virtual const identity& peer() const noexcept = 0;

 protected:
  ~byte_stream() = default;
};
using stream_ptr = std::unique_ptr<byte_stream, releaser>;

/// A connection taken from the backlog, its identity read. no_resources: out of descriptors; the acceptor
/// stays usable.
struct accept_op : op {
  using op::op;
  detached_ptr stream;
};

/// One thread's watch on a bound name. Several acceptors may watch one name: each client goes to one of them.
class acceptor {
 public:
  virtual start accept(accept_op& op) = 0;
  virtual void cancel(op& op) noexcept = 0;
  virtual void close() noexcept = 0;
  virtual void release() noexcept = 0;

 protected:
  ~acceptor() = default;
};
using acceptor_ptr = std::unique_ptr<acceptor, releaser>;

}  // namespace tp::backend
