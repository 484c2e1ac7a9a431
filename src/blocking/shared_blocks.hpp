// The blocks of blocking connections between two calls.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>

#include "twinpipe/backend/threads.hpp"

namespace tp::detail {

/// A blocking connection has a runtime of its own and nobody to share blocks with there; so that it keeps
/// none while nobody calls, those of a process share them here: as many as there are connections, which need
/// one of each size, up to a few. Thread-safe.
class shared_blocks final : public std::pmr::memory_resource {
 public:
  shared_blocks(backend::threads& threads, std::pmr::memory_resource& from)
      : lock_(threads.make_mutex(backend::mutex_kind::leaf)), from_(from) {}
  shared_blocks(const shared_blocks&) = delete;
  shared_blocks& operator=(const shared_blocks&) = delete;
  ~shared_blocks() override;

  void add_user();
  void remove_user();

 private:
  struct spare {
    spare* next;
  };
  /// Spare ones of one size; a connection has two.
  struct shelf {
    std::size_t size = 0;
    std::size_t alignment = 0;
    std::size_t made = 0;  ///< and not freed
    std::size_t spare_ones = 0;
    spare* first = nullptr;
  };
  static constexpr std::size_t most = 16;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
  [[nodiscard]] shelf* find(std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] void* take(std::size_t bytes, std::size_t alignment);
  [[nodiscard]] bool keep(void* memory, std::size_t bytes, std::size_t alignment);

  std::unique_ptr<backend::mutex> lock_;
  std::pmr::memory_resource& from_;
  std::array<shelf, 2> shelves_;
  std::size_t users_ = 0;
};

}  // namespace tp::detail
