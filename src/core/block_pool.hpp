// Memory that is borrowed for as long as there is something in it.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

namespace tp::core {

/// Blocks that many connections borrow and give back, so that an idle one holds none. A few are kept for the
/// next. No locks: it belongs to whoever drives the connections.
template <class Block>
class block_pool {
  static_assert(std::is_trivially_destructible_v<Block> && std::is_standard_layout_v<Block>);

 public:
  block_pool(std::pmr::memory_resource& memory, std::size_t keep) noexcept : memory_(&memory), keep_(keep) {}
  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;
  ~block_pool() {
    while (free_ != nullptr) free(*std::exchange(free_, free_->next));
  }

  /// What is in it is what the last borrower left.
  [[nodiscard]] Block& borrow() {
    ++lent_;
    if (free_ == nullptr) return make();
    --kept_;
    return std::exchange(free_, free_->next)->block;
  }
  void give_back(Block& block) noexcept {
    --lent_;
    auto& back = reinterpret_cast<place&>(block);  // the first member of one
    if (kept_ == keep_) return free(back);
    back.next = std::exchange(free_, &back);
    ++kept_;
  }
  [[nodiscard]] std::pmr::memory_resource& memory() const noexcept { return *memory_; }
  /// How many are out.
  [[nodiscard]] std::size_t lent() const noexcept { return lent_; }

 private:
  struct place {
    Block block;
    place* next;
  };
  [[gnu::cold]] Block& make() {
    return (new (memory_->allocate(sizeof(place), alignof(place))) place)->block;
  }
  [[gnu::cold]] void free(place& memory) noexcept {
    memory_->deallocate(&memory, sizeof(place), alignof(place));
  }

  std::pmr::memory_resource* memory_;
  place* free_ = nullptr;
  std::size_t kept_ = 0;
  std::size_t lent_ = 0;
  std::size_t keep_;
};

/// A borrowed block, or none.
template <class Block>
class loan {
 public:
  explicit loan(block_pool<Block>& pool) noexcept : pool_(&pool) {}
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;
  ~loan() { give_back(); }

  [[nodiscard]] Block& take() {
    if (block_ == nullptr) block_ = &pool_->borrow();
    return *block_;
  }
  void give_back() noexcept {
    if (block_ != nullptr) pool_->give_back(*std::exchange(block_, nullptr));
  }
  /// Where blocks come from.
  [[nodiscard]] std::pmr::memory_resource& memory() const noexcept { return pool_->memory(); }
  explicit operator bool() const noexcept { return block_ != nullptr; }
  Block* operator->() const noexcept { return block_; }
  Block& operator*() const noexcept { return *block_; }

 private:
  block_pool<Block>* pool_;
  Block* block_ = nullptr;
};

}  // namespace tp::core
