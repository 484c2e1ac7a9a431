// The operations of a connection: what an awaitable of it points to.
#pragma once

#include <memory_resource>
#include <optional>
#include <span>
#include <utility>

#include "async/resident.hpp"
#include "core/outbound.hpp"
#include "twinpipe/buffer.hpp"
#include "twinpipe/detail/operation.hpp"
#include "twinpipe/received.hpp"

namespace tp::detail {

class connection_state;

/// Nodes of one kind, which the connections of a runtime use again and again.
template <class Node>
class node_pool {
 public:
  explicit node_pool(std::pmr::memory_resource& memory) noexcept : memory_(&memory) {}
  node_pool(const node_pool&) = delete;
  node_pool& operator=(const node_pool&) = delete;
  ~node_pool() {
    while (free_ != nullptr) destroy(*std::exchange(free_, free_->next_free));
  }

  /// `made_of`: for a new one's constructor.
  template <class... Args>
  [[nodiscard]] Node& acquire(Args&... made_of) {
    if (free_ == nullptr) return make(made_of...);
    --kept_;
    return *std::exchange(free_, free_->next_free);
  }
  void give_back(Node& node) noexcept {
    if (kept_ == most_kept) return destroy(node);
    node.next_free = std::exchange(free_, &node);
    ++kept_;
  }

 private:
  static constexpr std::size_t most_kept = 1024;
  template <class... Args>
  [[gnu::cold]] Node& make(Args&... made_of) {
    return *new (memory_->allocate(sizeof(Node), alignof(Node))) Node(made_of...);
  }
  [[gnu::cold]] void destroy(Node& node) noexcept {
    node.~Node();
    memory_->deallocate(&node, sizeof(Node), alignof(Node));
  }

  std::pmr::memory_resource* memory_;
  Node* free_ = nullptr;
  std::size_t kept_ = 0;
};

/// An operation of the backend that a connection has only while it needs one.
struct lent_op_node : backend::write_op {
  lent_op_node* next_free = nullptr;
};
class lent_op {
 public:
  [[nodiscard]] bool pending() const noexcept { return node_ != nullptr && node_->pending(); }
  [[nodiscard]] backend::write_op& borrow(node_pool<lent_op_node>& from, backend::op::handler when_done,
                                          void* owner) {
    if (node_ == nullptr) node_ = &from.acquire();
    node_->on_done = when_done;
    node_->context = owner;
    node_->deadline = never;
    return *node_;
  }
  [[nodiscard]] backend::write_op& operator*() const noexcept { return *node_; }
  /// Its result, after which it is somebody else's.
  backend::status give_back(node_pool<lent_op_node>& to) noexcept {
    lent_op_node& node = *std::exchange(node_, nullptr);
    const backend::status result = node.result;
    to.give_back(node);
    return result;
  }
  [[nodiscard]] bool is_lent() const noexcept { return node_ != nullptr; }

 private:
  lent_op_node* node_ = nullptr;
};

/// What they share: the connection they are used for, kept alive meanwhile, and the outcome.
template <class Node, class Result>
class connection_operation : public typed_operation<Result> {
 public:
  connection_operation(runtime_state& runtime, tp::operation kind) noexcept
      : typed_operation<Result>(runtime, kind) {}

  /// Of which connection; before it is prepared.
  void belong_to(connection_state& state) noexcept { state_ = &state; }

  bool start() final;
  void abandon() noexcept final;
  [[nodiscard]] Result take() final;

  /// The outcome is known. While the operation is being started its waiter goes on at once; inside a turn of
  /// the backend it resumes in this call; and called from anywhere else it resumes on a later turn.
  void end(Result outcome, bool inside_turn) noexcept {
    set(std::move(outcome));
    if (starting_) return this->finish_now();
    inside_turn ? this->complete() : this->complete_later();
  }
  /// The same for one that succeeds: no error has to be moved, or destroyed.
  template <class Value>
  void succeed(Value value, bool inside_turn) noexcept {
    set(value);
    if (starting_) return this->finish_now();
    inside_turn ? this->complete() : this->complete_later();
  }
  /// And is being started.
  template <class Value>
  void succeed_now(Value value) noexcept {
    set(value);
    this->finish_now();
  }

  Node* next_free = nullptr;      ///< in the pool
  errc stop_reason = errc::none;  ///< why it is being taken back, while that takes time

 protected:
  void use() noexcept;  // connection_state.hpp
  [[gnu::cold]] void refuse(errc code) noexcept;
  void on_stop() noexcept final;

  connection_state* state_ = nullptr;

 private:
  void give_back() noexcept;
  // Once for each use: there is nothing to destroy before.
  template <class Outcome>
  void set(Outcome&& outcome) noexcept {
    if (outcome_) std::unreachable();
    outcome_.emplace(std::forward<Outcome>(outcome));
  }
  std::optional<Result> outcome_;
  bool starting_ = false;
};

class send_operation final : public connection_operation<send_operation, send_result> {
 public:
  explicit send_operation(runtime_state& runtime) noexcept;
  void prepare(std::span<const std::byte> bytes) noexcept {
    use();
    item.payload = bytes;
  }

  bool withdrawing = false;  ///< stopped while a piece of it was under way
  struct queued : core::outgoing {
    send_operation* operation = nullptr;
  } item;
};

class receive_operation final : public connection_operation<receive_operation, result<received>> {
 public:
  explicit receive_operation(runtime_state& runtime) noexcept;
  void prepare(std::span<std::byte> bytes) noexcept {
    use();
    span = bytes;
    into = nullptr;
  }
  void prepare(buffer& bytes) noexcept {
    use();
    span = {};
    into = &bytes;
  }

  std::span<std::byte> span;
  buffer* into = nullptr;
};

class shutdown_operation final : public connection_operation<shutdown_operation, result<void>> {
 public:
  explicit shutdown_operation(runtime_state& runtime) noexcept;
  void prepare() noexcept { use(); }
};

class drain_operation final : public connection_operation<drain_operation, result<void>> {
 public:
  explicit drain_operation(runtime_state& runtime) noexcept;
  void prepare() noexcept { use(); }
};

class close_operation final : public connection_operation<close_operation, result<delivery>> {
 public:
  explicit close_operation(runtime_state& runtime) noexcept;
  void prepare() noexcept { use(); }
};

}  // namespace tp::detail
