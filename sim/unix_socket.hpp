// Unix stream sockets (unix(7)) as Linux has them, for the simulated twin: a state machine without clock,
// scheduler, names and users. No call waits; whoever wants to wait asks to be told when a call of somebody
// else changes something.
//
// Names are those of the kernel's net/unix/af_unix.c where it has one. docs/simulator.md lists what is
// reproduced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <memory_resource>
#include <span>
#include <system_error>
#include <utility>

#include "byte_account.hpp"
#include "unix_buffers.hpp"
#include "unix_charges.hpp"

namespace tp::sim {

class unix_sockets;

/// Bits of unix_socket::poll(), with the values of Linux's poll(2).
namespace ready {
inline constexpr std::uint16_t in = 0x1, pri = 0x2, out = 0x4, err = 0x8, hup = 0x10, rdhup = 0x2000;
}

/// For what a socket may be waited for. A change of state, such as the peer's end, is both readable and
/// writable.
namespace wake {
inline constexpr std::uint8_t readable = 1;  ///< a listener: there is somebody to accept
inline constexpr std::uint8_t writable = 2;
inline constexpr std::uint8_t room = 4;  ///< a listener: its backlog has a place
}  // namespace wake

/// One end, or a listener. The errors are those of a non-blocking socket: EAGAIN is
/// resource_unavailable_try_again.
class unix_socket {
 public:
  using count = std::expected<std::size_t, std::errc>;
  using bytes = std::span<const std::byte>;
  enum class direction : std::uint8_t { read = 1, write = 2, both = 3 };
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  /// setsockopt(SO_SNDBUF): the kernel doubles what it is asked for.
  void set_send_buffer(std::uint32_t asked);
  /// Its limit, as getsockopt(SO_SNDBUF) shows it.
  [[nodiscard]] std::uint32_t send_buffer() const noexcept { return sndbuf_; }

  /// Admits `backlog` + 1 that aren't accepted yet. Again, it changes that number. EINVAL for one that is
  /// connected.
  [[nodiscard]] std::errc listen(std::uint32_t backlog);
  /// The server's end, which waits in the backlog to be accepted; connected already. ECONNREFUSED if `other`
  /// doesn't listen, EAGAIN if its backlog is full: `other` then tells of wake::room.
  [[nodiscard]] std::expected<unix_socket*, std::errc> connect(unix_socket& other);
  /// First come, first served. EAGAIN if there is nobody, EINVAL if this doesn't listen.
  [[nodiscard]] std::expected<unix_socket*, std::errc> accept();

  /// At most `limit` bytes of the spans. EAGAIN, EPIPE, ENOTCONN.
  [[nodiscard]] count send(std::span<const bytes> from, std::size_t limit = all);
  [[nodiscard]] count send(bytes from);
  /// The same with MSG_OOB: the last byte is urgent. EOPNOTSUPP for no bytes.
  [[nodiscard]] count send_urgent(bytes from);
  /// At most `limit` bytes; 0 is the end, or no room was given. EAGAIN, ECONNRESET (once), EINVAL if not
  /// connected.
  [[nodiscard]] count recv(std::span<const std::span<std::byte>> into, std::size_t limit = all);
  [[nodiscard]] count recv(std::span<std::byte> into);

  /// recv() would be EAGAIN, as it would be for most who ask: nothing is there, and nothing else to tell.
  [[nodiscard]] bool has_nothing() const noexcept {
    return receive_queue_.empty() && state_ == state::established && !reset_ &&
           (shutdown_ & std::to_underlying(direction::read)) == 0;
  }

  [[nodiscard]] std::uint16_t poll() const noexcept;
  /// SIOCOUTQ: the charge of what the peer has neither read nor thrown away.
  [[nodiscard]] std::uint32_t outq() const noexcept { return charge_; }
  /// SIOCINQ: bytes to read, an urgent one included.
  [[nodiscard]] std::uint32_t inq() const noexcept { return inq_; }
  /// getsockopt(SO_ERROR), which forgets it.
  [[nodiscard]] std::errc take_error() noexcept;

  void shutdown(direction which);
  /// The last use of this object, which take_woken() doesn't tell of any more; who waits for it is the
  /// caller's to wake. A listener's clients that weren't accepted are reset.
  void close();

  /// Which changes take_woken() shall tell of, from now on; bits of wake.
  void watch(std::uint8_t changes) noexcept { watched_ = changes; }
  [[nodiscard]] std::uint8_t watched() const noexcept { return watched_; }

  /// The other end, until it closes.
  [[nodiscard]] unix_socket* peer() const noexcept { return peer_; }
  /// Who waits in this listener's backlog: the first, and who comes after one of them.
  [[nodiscard]] unix_socket* first_queued() const noexcept {
    return last_ != nullptr ? last_->next_ : nullptr;
  }
  [[nodiscard]] unix_socket* queued_after(const unix_socket& one) const noexcept {
    return &one != last_ ? one.next_ : nullptr;
  }
  [[nodiscard]] std::uint32_t queued() const noexcept { return queued_; }

  /// Bytes that wait to be read, counted one by one: what close() throws away.
  [[nodiscard]] std::size_t unread() const noexcept;

  void* user = nullptr;  ///< the caller's
  byte_account account;  ///< likewise: of what this end is sent
  /// Likewise: its peer has thrown away what this end sent, and nobody here was told so far.
  bool loss_untold = false;

 private:
  friend class unix_sockets;
  enum class state : std::uint8_t { fresh, listening, established, gone };

  unix_socket(unix_sockets& kernel, std::uint32_t limit) noexcept : kernel_(&kernel), sndbuf_(limit) {}

  template <class Source>
  [[nodiscard]] count send_from(Source source, std::size_t size);
  template <class Target>
  [[nodiscard]] count recv_into(Target target, std::size_t size);
  [[nodiscard]] bool shut(direction which) const noexcept;
  void end(direction which);
  [[nodiscard]] bool is_writable(std::uint32_t transient) const noexcept;
  [[nodiscard]] unix_socket* pop_queued() noexcept;
  [[nodiscard]] std::errc enqueue(std::uint32_t size, unix_buffer*& made);
  void pop_buffer();
  void wake_up(std::uint8_t changes);
  void room_came();
  void release(bool embryo);

  unix_sockets* kernel_;
  unix_socket* peer_ = nullptr;
  unix_buffer_queue receive_queue_;
  unix_buffer* urgent_ = nullptr;      ///< oob_skb: in the queue
  unix_socket* last_ = nullptr;        ///< of the backlog
  unix_socket* next_ = nullptr;        ///< in the backlog it is in, in a circle, or of those that are free
  unix_socket* next_woken_ = nullptr;  ///< itself: the last of them
  std::uint32_t sndbuf_;
  std::uint32_t charge_ = 0;    ///< sk_wmem_alloc, without the 1 for the socket itself
  std::uint32_t consumed_ = 0;  ///< bytes of the first buffer
  std::uint32_t inq_ = 0;
  std::uint32_t backlog_ = 0;
  std::uint32_t queued_ = 0;
  state state_ = state::fresh;
  std::uint8_t shutdown_ = 0;  ///< bits of direction
  bool reset_ = false;         ///< sk_err, which is never anything but ECONNRESET
  std::uint8_t watched_ = 0;
  std::uint8_t woken_ = 0;
};

/// The sockets of one kernel. What is still open at its end just goes.
class unix_sockets {
 public:
  explicit unix_sockets(std::pmr::memory_resource& memory, const unix_charges& charges = linux_6_18)
      : charges_(charges), memory_(memory) {}
  unix_sockets(const unix_sockets&) = delete;
  unix_sockets& operator=(const unix_sockets&) = delete;

  /// socket(2).
  [[nodiscard]] unix_socket& open();
  /// socketpair(2).
  [[nodiscard]] std::pair<unix_socket&, unix_socket&> open_pair();

  struct woken {
    unix_socket* socket;  ///< null: none
    std::uint8_t changes;
  };
  /// The next socket that a call has changed in a way that it is watched for, in the order of the changes.
  [[nodiscard]] woken take_woken() noexcept;
  /// False: take_woken() has none to tell of.
  [[nodiscard]] bool has_woken() const noexcept { return first_woken_ != nullptr; }

 private:
  friend class unix_socket;
  void dispose(unix_socket& closed) noexcept;

  const unix_charges charges_;
  unix_memory memory_;
  unix_socket* free_ = nullptr;
  unix_socket* first_woken_ = nullptr;
  unix_socket* last_woken_ = nullptr;
};

}  // namespace tp::sim
