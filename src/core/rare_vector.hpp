// A vector for what most of its owners never have.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace tp::core {

/// As small as a pointer until something is put in.
template <class T>
class rare_vector {
 public:
  rare_vector() noexcept = default;
  rare_vector(const rare_vector&) = delete;
  rare_vector& operator=(const rare_vector&) = delete;
  ~rare_vector() {
    if (items_ != nullptr) std::pmr::polymorphic_allocator<>(items_->get_allocator()).delete_object(items_);
  }

  [[nodiscard]] bool empty() const noexcept { return items_ == nullptr || items_->empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_ == nullptr ? 0 : items_->size(); }
  void clear() noexcept {
    if (items_ != nullptr) items_->clear();
  }
  /// The vector itself, of that memory if there is none yet.
  [[nodiscard]] std::pmr::vector<T>& in(std::pmr::memory_resource& memory) {
    if (items_ == nullptr)
      items_ = std::pmr::polymorphic_allocator<>(&memory).new_object<std::pmr::vector<T>>();
    return *items_;
  }

 private:
  std::pmr::vector<T>* items_ = nullptr;
};

}  // namespace tp::core
