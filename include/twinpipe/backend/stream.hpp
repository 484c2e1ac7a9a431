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
/// after its data, and the next read is the end. Bytes leave the kernel only with an ok result; after any
/// other, n is 0 and what is in the buffers means nothing: a system may have written there all the same.
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
/// the twin has read ahead. Destroying it closes it, on any thread.
class detached_stream {
 public:
  virtual ~detached_stream() = default;
  /// See byte_stream::peer; what it learnt goes along with the stream.
  [[nodiscard]] virtual const identity& peer() const noexcept = 0;
};
using detached_ptr = std::unique_ptr<detached_stream>;

/// A stream attached to one system, or one that blocks and is attached to none.
///
/// At most one read, one write, one shutdown and one drain are pending at a time. Shutdown and drain wait for
/// no write: the core orders them, and starts a shutdown only when no write is pending and none will follow.
///
/// An asynchronous stream belongs to its system's thread; for one that blocks see blocking_stream.
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
  /// Takes the stream off its thread again. Null, and nothing has changed, if an operation is pending, the
  /// stream is closed, or the twin can't (Windows, established). Afterwards the object is as one that was
  /// closed: later starts answer done(closed), and it still has to be released.
  [[nodiscard]] virtual detached_ptr detach() noexcept = 0;
  /// Taken at accept or connect, and constant but for one case: a client accepted with peer_follows, whose
  /// uid and sid are both unknown, may become known by the first read of a half-open stream that brings any
  /// bytes, before that read completes. (Windows doesn't tell earlier, ERROR_CANNOT_IMPERSONATE.) Who isn't
  /// known then never is, and nobody becomes somebody else.
  [[nodiscard]] virtual const identity& peer() const noexcept = 0;

 protected:
  ~byte_stream() = default;
};
using stream_ptr = std::unique_ptr<byte_stream, releaser>;

/// A connection taken from the backlog, its identity read, or still to come. no_resources: out of
/// descriptors; the acceptor stays usable.
struct accept_op : op {
  using op::op;
  detached_ptr stream;
  /// Nobody knows yet whose the stream is, and its first bytes will tell; see byte_stream::peer. An unknown
  /// peer without this mark stays unknown. False when it starts.
  bool peer_follows = false;
};

/// One thread's watch on a bound name, used by its system's thread only. Several acceptors may watch one
/// name: each client goes to one of them. Only while an accept is pending does it take clients.
class acceptor {
 public:
  /// The next client, or a wait for one. At most one is pending at a time. closed: the name was withdrawn or
  /// this acceptor closed. no_resources: the client is still in the backlog, and the next accept tries again.
  /// io_error.
  virtual start accept(accept_op& op) = 0;
  /// See byte_stream::cancel: a client that has been taken already comes with an ok result.
  virtual void cancel(op& op) noexcept = 0;
  /// A pending accept ends closed, on a later turn, or ok with a client that was taken; later ones answer
  /// done(closed). The name stays bound, and its backlog is the other acceptors'. Never blocks; twice is
  /// once.
  virtual void close() noexcept = 0;
  /// close(), and frees the object when a pending accept has left. Allowed inside its completion.
  virtual void release() noexcept = 0;

 protected:
  ~acceptor() = default;
};
using acceptor_ptr = std::unique_ptr<acceptor, releaser>;

}  // namespace tp::backend
