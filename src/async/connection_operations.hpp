// The operations of a connection: what an awaitable of it points to.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "async/resident.hpp"
#include "core/outbound.hpp"
#include "twinpipe/buffer.hpp"
#include "twinpipe/detail/operation.hpp"
#include "twinpipe/received.hpp"

namespace tp::detail {

class connection_state;

/// Nodes of one kind, made on first need and used again and again.
template <class Node>
class node_pool {
 public:
  [[nodiscard]] Node& acquire(connection_state& state) {
    if (free_.empty()) {
      nodes_.push_back(std::make_unique<Node>(state));
      free_.reserve(nodes_.size());
      return *nodes_.back();
    }
    Node& node = *free_.back();
    free_.pop_back();
    return node;
  }
  void give_back(Node& node) noexcept { free_.push_back(&node); }

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Node*> free_;
};

/// What they share: the state they belong to, kept alive while they are in use, and the outcome.
template <class Node, class Result>
class connection_operation : public typed_operation<Result> {
 public:
  connection_operation(connection_state& state, tp::operation kind) noexcept;

  bool start() final;
  void abandon() noexcept final;
  [[nodiscard]] Result take() final;

  /// The outcome is known. While the operation is being started its waiter goes on at once; inside a turn of
  /// the backend it resumes in this call; and called from anywhere else it resumes on a later turn.
  void end(Result outcome, bool inside_turn) noexcept {
    outcome_.emplace(std::move(outcome));
    if (starting_) return this->finish_now();
    inside_turn ? this->complete() : this->complete_later();
  }

  errc stop_reason = errc::none;  ///< why it is being taken back, while that takes time

 protected:
  void use() noexcept;
  void on_stop() noexcept final;

  connection_state& state_;

 private:
  void give_back() noexcept;
  std::optional<Result> outcome_;
  bool starting_ = false;
};

class send_operation final : public connection_operation<send_operation, send_result> {
 public:
  explicit send_operation(connection_state& state) noexcept;
  void prepare(std::span<const std::byte> bytes) noexcept;

  bool withdrawing = false;  ///< stopped while a piece of it was under way
  struct queued : core::outgoing {
    send_operation* operation = nullptr;
  } item;
};

class receive_operation final : public connection_operation<receive_operation, result<received>> {
 public:
  explicit receive_operation(connection_state& state) noexcept;
  void prepare(std::span<std::byte> into) noexcept;
  void prepare(buffer& into) noexcept;

  std::span<std::byte> span;
  buffer* into = nullptr;
};

class shutdown_operation final : public connection_operation<shutdown_operation, result<void>> {
 public:
  explicit shutdown_operation(connection_state& state) noexcept;
  void prepare() noexcept { use(); }
};

class drain_operation final : public connection_operation<drain_operation, result<void>> {
 public:
  explicit drain_operation(connection_state& state) noexcept;
  void prepare() noexcept { use(); }
};

class close_operation final : public connection_operation<close_operation, result<delivery>> {
 public:
  explicit close_operation(connection_state& state) noexcept;
  void prepare() noexcept { use(); }
};

}  // namespace tp::detail
