// A growing byte buffer that a program keeps and receives into again and again.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace tp {

/// Contents are replaced by each receive; the storage stays, so that in the steady state nothing is
/// allocated. New storage isn't zeroed.
class buffer {
 public:
  buffer() noexcept = default;
  explicit buffer(std::size_t capacity) { reserve(capacity); }
  /// What was moved from is empty, without storage, and can be used again.
  buffer(buffer&& other) noexcept
      : storage_(std::move(other.storage_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  buffer& operator=(buffer&& other) noexcept {
    buffer taken(std::move(other));
    std::swap(storage_, taken.storage_);
    std::swap(size_, taken.size_);
    std::swap(capacity_, taken.capacity_);
    return *this;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {storage_.get(), size_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(storage_.get()), size_};
  }

  void clear() noexcept { size_ = 0; }
  /// At least this capacity; the contents stay.
  void reserve(std::size_t capacity);
  void append(std::span<const std::byte> bytes);

  /// Room behind the contents, to be written to and then added with commit().
  [[nodiscard]] std::span<std::byte> spare() noexcept { return {storage_.get() + size_, capacity_ - size_}; }
  void commit(std::size_t bytes) noexcept { size_ += bytes; }

 private:
  std::unique_ptr<std::byte[]> storage_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tp
