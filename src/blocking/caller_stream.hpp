// A blocking stream as the connection's state knows streams: what it starts is pending until a thread that
// calls has done it.
#pragma once

#include "blocking/caller_system.hpp"
#include "twinpipe/backend/blocking.hpp"

namespace tp::detail {

/// A deadline that leaves a blocking stream one try.
inline constexpr time_point at_once = time_point::min();

/// So much is copied to the kernel while the lock is held; more is left to the thread that sends.
inline constexpr std::size_t little = std::size_t{16} << 10;

/// Under the lock of its connection, but for the calls of claimed work, which wait. Of each kind of work one
/// thread at a time has the claim.
class caller_stream final : public backend::byte_stream {
 public:
  caller_stream(caller_system& system, backend::blocking_stream_ptr real) noexcept
      : system_(system), real_(std::move(real)) {}

  backend::start read(backend::read_op& op) override;
  /// Little is tried at once.
  backend::start write(backend::write_op& op) override;
  backend::start shutdown(backend::op& op) override;
  backend::start drain(backend::drain_op& op) override;
  void cancel(backend::op& op) noexcept override;
  void close() noexcept override;
  void release() noexcept override { delete this; }
  [[nodiscard]] backend::detached_ptr detach() noexcept override { return nullptr; }
  [[nodiscard]] const identity& peer() const noexcept override { return real_->peer(); }

  /// From now on reads are tried at once, so that a close sees what has come; not for ever, if the peer goes
  /// on sending.
  void try_reads() noexcept { tries_ = most_tries; }
  [[nodiscard]] backend::blocking_stream& real() noexcept { return *real_; }
  /// Is there work of that kind that no thread does?
  [[nodiscard]] bool read_waits() const noexcept { return reading_.op != nullptr && !reading_.claimed; }
  [[nodiscard]] bool write_waits() const noexcept { return writing_.op != nullptr && !writing_.claimed; }
  [[nodiscard]] bool drain_waits() const noexcept { return draining_ != nullptr; }
  /// Is any being done or to be done?
  [[nodiscard]] bool reads() const noexcept { return reading_.op != nullptr; }
  [[nodiscard]] bool writes() const noexcept { return writing_.op != nullptr; }
  /// Is a read being done by a thread that nothing here can reach?
  [[nodiscard]] bool reads_out_of_reach() const noexcept {
    return reading_.claimed && reading_.who == nullptr;
  }
  /// Does the read only wait, and move nothing?
  [[nodiscard]] bool only_waits() const noexcept { return read_.into.empty() && read_.spill.empty(); }

  /// `who`: how the thread can be reached if the work is cancelled; null: it can't.
  void claim_read(backend::interrupt* who) noexcept { claim(reading_, who); }
  void claim_write(backend::interrupt* who) noexcept { claim(writing_, who); }
  // With the claim and without the lock: one call that waits until the deadline.
  void do_read(time_point deadline);
  void do_write(time_point deadline);
  /// After a wait of the stream has ended ok, for whatever it waited.
  void try_read();
  /// After one that hasn't.
  void skip_read(backend::status waited) noexcept { skip(read_, waited); }
  void skip_write(backend::status waited) noexcept { skip(write_, waited); }
  // Gives the claim back. True: the operation is finished. False: its time was up, and it is still pending.
  bool settle_read() noexcept;
  bool settle_write() noexcept;
  /// Asks the system once.
  void try_drain();

  // What a thread does without an operation, while none of that kind is under way.
  /// Under the lock, so only if they are little: one write that doesn't wait. How much went; why no more, a
  /// second write tells.
  [[nodiscard]] std::size_t try_write(std::span<const std::byte> bytes);
  /// Claims the reads; a pending one that is started meanwhile is this.
  void begin_bare_read(std::span<std::byte> into, backend::interrupt* who) noexcept;
  /// Gives the claim back, if it isn't that of an operation now, see settle_read(). 0: the next read will be
  /// told why.
  [[nodiscard]] std::size_t end_bare_read() noexcept;

 private:
  ~caller_stream() = default;

  struct work {
    backend::op* op = nullptr;
    backend::interrupt* who = nullptr;
    bool claimed = false;
    bool cancelled = false;
  };
  void claim(work& which, backend::interrupt* who) noexcept {
    which.claimed = true;
    which.who = who;
  }
  static void skip(backend::op& call, backend::status waited) noexcept;
  void cancel(work& which) noexcept;
  bool end(work& which, backend::status result, std::size_t n = 0) noexcept;

  caller_system& system_;
  backend::blocking_stream_ptr real_;
  work reading_, writing_;
  backend::drain_op* draining_ = nullptr;
  backend::read_op read_;    ///< the call that is made for the pending one
  backend::write_op write_;  ///< likewise
  backend::drain_op drain_;
  std::size_t written_ = 0;  ///< of the pending write, by earlier calls
  backend::interrupt* bare_reader_ = nullptr;
  bool reads_bare_ = false;
  bool read_is_known_ = false;           ///< the result of the next read is in read_
  static constexpr int most_tries = 64;  // more than a socket holds
  int tries_ = 0;
  bool closed_ = false;
};

}  // namespace tp::detail
