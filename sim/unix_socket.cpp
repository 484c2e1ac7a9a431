// Each function is the one of Linux's net/unix/af_unix.c that its comment names, without locks and waiting.
#include "unix_socket.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace tp::sim {

namespace {

constexpr std::uint32_t urgent_size = 1;

/// From the caller's bytes into a buffer, or the other way round.
template <class Byte>
void move_bytes(Byte* bytes, std::byte* buffer, std::size_t n) noexcept {
  if constexpr (std::is_const_v<Byte>) {
    std::memcpy(buffer, bytes, n);
  } else {
    std::memcpy(bytes, buffer, n);
  }
}

/// One span, of which each move takes the next bytes.
template <class Byte>
struct one_span {
  Byte* next;

  void move(std::byte* buffer, std::size_t n) noexcept {
    move_bytes(next, buffer, n);
    next += n;
  }
};

/// The same over several.
template <class Byte>
struct many_spans {
  const std::span<Byte>* next;
  std::span<Byte> left{};

  void move(std::byte* buffer, std::size_t n) noexcept {
    while (n > 0) {
      while (left.empty()) left = *next++;
      const std::size_t part = std::min(n, left.size());
      move_bytes(left.data(), buffer, part);
      left = left.subspan(part);
      buffer += part;
      n -= part;
    }
  }
};

template <class Byte>
std::size_t size_of(std::span<const std::span<Byte>> parts, std::size_t limit) noexcept {
  std::size_t size = 0;
  for (const std::span<Byte>& part : parts) size += part.size();
  return std::min(size, limit);
}

}  // namespace

bool unix_socket::shut(direction which) const noexcept {
  return (shutdown_ & std::to_underlying(which)) != 0;
}

/// unix_writable(). The kernel counts one for the socket, and another one while a buffer is being freed.
bool unix_socket::is_writable(std::uint32_t transient) const noexcept {
  return state_ != state::listening && (charge_ + 1 + transient) * 4 <= sndbuf_;
}

void unix_socket::set_send_buffer(std::uint32_t asked) {
  sndbuf_ = kernel_->charges_.limit_for(asked);
  if (is_writable(0)) wake_up(wake::writable);
}

/// unix_listen().
std::errc unix_socket::listen(std::uint32_t backlog) {
  if (state_ != state::fresh && state_ != state::listening) return std::errc::invalid_argument;
  const bool more = backlog > backlog_;
  backlog_ = backlog;
  state_ = state::listening;
  if (more) wake_up(wake::room);
  return {};
}

/// unix_stream_connect().
std::expected<unix_socket*, std::errc> unix_socket::connect(unix_socket& other) {
  if (other.state_ != state::listening || other.shut(direction::read)) {
    return std::unexpected(std::errc::connection_refused);
  }
  if (other.queued_ > other.backlog_) return std::unexpected(std::errc::resource_unavailable_try_again);
  if (state_ == state::established) return std::unexpected(std::errc::already_connected);
  if (state_ != state::fresh) return std::unexpected(std::errc::invalid_argument);
  unix_socket& embryo = kernel_->open();
  state_ = embryo.state_ = state::established;
  peer_ = &embryo;
  embryo.peer_ = this;
  embryo.next_ = other.last_ != nullptr ? std::exchange(other.last_->next_, &embryo) : &embryo;
  other.last_ = &embryo;
  ++other.queued_;
  other.wake_up(wake::readable);
  return &embryo;
}

/// unix_accept().
std::expected<unix_socket*, std::errc> unix_socket::accept() {
  if (state_ != state::listening) return std::unexpected(std::errc::invalid_argument);
  unix_socket* const taken = pop_queued();
  if (taken == nullptr) return std::unexpected(std::errc::resource_unavailable_try_again);
  --queued_;
  wake_up(wake::room);
  return taken;
}

unix_socket* unix_socket::pop_queued() noexcept {
  unix_socket* const first = first_queued();
  if (first == nullptr) return nullptr;
  if (first == last_)
    last_ = nullptr;
  else
    last_->next_ = first->next_;
  first->next_ = nullptr;
  return first;
}

/// What sock_alloc_send_pskb() and the queueing in unix_stream_sendmsg() say to one more buffer.
std::errc unix_socket::enqueue(std::uint32_t size, unix_buffer*& made) {
  if (shut(direction::write)) return std::errc::broken_pipe;
  if (charge_ >= sndbuf_) return std::errc::resource_unavailable_try_again;
  if (peer_->shut(direction::read)) {  // since before they were connected; the buffer was made, and is freed
    room_came();
    return std::errc::broken_pipe;
  }
  const std::uint32_t charge = kernel_->charges_.charge(size);
  made = peer_->receive_queue_.push(kernel_->memory_, size, charge);
  charge_ += charge;
  peer_->inq_ += size;
  return {};
}

unix_socket::count unix_socket::send(bytes from) {
  return send_from(one_span{from.data()}, from.size());
}

unix_socket::count unix_socket::send(std::span<const bytes> from, std::size_t limit) {
  return send_from(many_spans<const std::byte>{from.data()}, size_of(from, limit));
}

/// unix_stream_sendmsg().
template <class Source>
unix_socket::count unix_socket::send_from(Source source, std::size_t size) {
  if (state_ != state::established) return std::unexpected(std::errc::not_connected);
  if (shut(direction::write)) return std::unexpected(std::errc::broken_pipe);
  std::size_t sent = 0;
  std::errc error{};
  while (sent < size) {
    const std::uint32_t piece = kernel_->charges_.piece(size - sent, sndbuf_);
    unix_buffer* made = nullptr;
    if (error = enqueue(piece, made); error != std::errc{}) break;
    source.move(made->bytes(), piece);
    sent += piece;
  }
  if (sent > 0) peer_->wake_up(wake::readable);
  return sent > 0 || error == std::errc{} ? count(sent) : std::unexpected(error);
}

/// queue_oob().
unix_socket::count unix_socket::send_urgent(bytes from) {
  if (from.empty()) return std::unexpected(std::errc::operation_not_supported);
  const count before = send(from.first(from.size() - 1));
  if (!before || *before + 1 < from.size()) return before;
  unix_buffer* made = nullptr;
  if (const std::errc error = enqueue(urgent_size, made); error != std::errc{}) {
    return *before > 0 ? before : std::unexpected(error);
  }
  *made->bytes() = from.back();
  peer_->urgent_ = made;  // one that was is an ordinary byte from now on
  peer_->wake_up(wake::readable);
  return from.size();
}

/// The first buffer leaves the queue, and its sender has its charge back.
void unix_socket::pop_buffer() {
  const unix_buffer& buffer = *receive_queue_.front();
  if (&buffer == urgent_) urgent_ = nullptr;
  if (peer_ != nullptr) peer_->charge_ -= buffer.charge;
  inq_ -= buffer.size - consumed_;
  consumed_ = 0;
  receive_queue_.pop(kernel_->memory_);
}

/// unix_write_space(), as sock_wfree() calls it.
void unix_socket::room_came() {
  if (is_writable(1)) wake_up(wake::writable);
}

unix_socket::count unix_socket::recv(std::span<std::byte> into) {
  return recv_into(one_span{into.data()}, into.size());
}

unix_socket::count unix_socket::recv(std::span<const std::span<std::byte>> into, std::size_t limit) {
  return recv_into(many_spans<std::byte>{into.data()}, size_of(into, limit));
}

/// unix_stream_read_generic() with manage_oob(): an urgent byte ends a read that has something, and vanishes
/// from the next.
template <class Target>
unix_socket::count unix_socket::recv_into(Target target, std::size_t size) {
  if (state_ != state::established) return std::unexpected(std::errc::invalid_argument);
  std::size_t copied = 0;
  bool freed = false;
  if (urgent_ != nullptr && receive_queue_.front() == urgent_) {
    pop_buffer();
    freed = true;
  }
  unix_buffer* buffer = receive_queue_.front();
  const bool nothing = buffer == nullptr;
  while (buffer != nullptr && copied < size && buffer != urgent_) {
    const auto part =
        static_cast<std::uint32_t>(std::min<std::size_t>(buffer->size - consumed_, size - copied));
    target.move(buffer->bytes() + consumed_, part);
    copied += part;
    consumed_ += part;
    inq_ -= part;
    if (consumed_ < buffer->size) break;
    pop_buffer();
    freed = true;
    buffer = receive_queue_.front();
  }
  if (freed && peer_ != nullptr) peer_->room_came();
  if (!nothing) return copied;
  if (std::exchange(reset_, false)) return std::unexpected(std::errc::connection_reset);
  if (shut(direction::read)) return 0;
  return std::unexpected(std::errc::resource_unavailable_try_again);
}

/// unix_poll().
std::uint16_t unix_socket::poll() const noexcept {
  std::uint16_t bits = 0;
  if (reset_) bits |= ready::err;
  if (shut(direction::read)) bits |= ready::rdhup | ready::in;
  if (shutdown_ == std::to_underlying(direction::both) || state_ == state::fresh) bits |= ready::hup;
  if (!receive_queue_.empty() || last_ != nullptr) bits |= ready::in;
  if (urgent_ != nullptr) bits |= ready::pri;
  if (is_writable(0)) bits |= ready::out;
  return bits;
}

std::errc unix_socket::take_error() noexcept {
  return std::exchange(reset_, false) ? std::errc::connection_reset : std::errc{};
}

std::size_t unix_socket::unread() const noexcept {
  return receive_queue_.bytes() - consumed_;
}

/// unix_shutdown(): what one end doesn't read, the other one can't write, and the other way round.
void unix_socket::shutdown(direction which) {
  end(which);
  if (peer_ == nullptr) return;
  const auto bits = std::to_underlying(which);
  peer_->end(static_cast<direction>((bits << 1 | bits >> 1) & std::to_underlying(direction::both)));
}

void unix_socket::end(direction which) {
  shutdown_ |= std::to_underlying(which);
  wake_up(wake::readable | wake::writable);
}

void unix_socket::close() {
  release(false);
}

/// unix_release_sock().
void unix_socket::release(bool embryo) {
  const bool unread = !receive_queue_.empty();
  if (peer_ != nullptr) {
    peer_->peer_ = nullptr;
    if (unread || embryo) peer_->reset_ = true;
    peer_->end(direction::both);
  }
  while (!receive_queue_.empty()) pop_buffer();
  while (unix_socket* const queued = pop_queued()) queued->release(true);
  state_ = state::gone;
  if (next_woken_ == nullptr) kernel_->dispose(*this);
}

void unix_socket::wake_up(std::uint8_t changes) {
  changes &= watched_;
  if (changes == 0) return;
  woken_ |= changes;
  if (next_woken_ != nullptr) return;
  unix_socket*& last = kernel_->last_woken_;
  (last == nullptr ? kernel_->first_woken_ : last->next_woken_) = this;
  last = next_woken_ = this;
}

unix_socket& unix_sockets::open() {
  static_assert(std::is_trivially_destructible_v<unix_socket>);
  void* place = free_;
  if (place == nullptr) {
    place = memory_.allocate(sizeof(unix_socket));
  } else {
    free_ = free_->next_;
  }
  return *new (place) unix_socket(*this, charges_.default_limit);
}

std::pair<unix_socket&, unix_socket&> unix_sockets::open_pair() {
  unix_socket& one = open();
  unix_socket& other = open();
  one.peer_ = &other;
  other.peer_ = &one;
  one.state_ = other.state_ = unix_socket::state::established;
  return {one, other};
}

unix_sockets::woken unix_sockets::take_woken() noexcept {
  while (first_woken_ != nullptr) {
    unix_socket& next = *first_woken_;
    first_woken_ = next.next_woken_ == &next ? nullptr : next.next_woken_;
    if (first_woken_ == nullptr) last_woken_ = nullptr;
    next.next_woken_ = nullptr;
    const std::uint8_t changes = std::exchange(next.woken_, std::uint8_t{0});
    if (next.state_ != unix_socket::state::gone) return {&next, changes};
    dispose(next);
  }
  return {nullptr, 0};
}

void unix_sockets::dispose(unix_socket& closed) noexcept {
  closed.next_ = free_;
  free_ = &closed;
}

}  // namespace tp::sim
