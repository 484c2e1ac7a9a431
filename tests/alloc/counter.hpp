// Counts what the whole program allocates.
#pragma once

namespace tp::test {

/// So far, by every thread; through malloc and its kin, hence through operator new too.
[[nodiscard]] long allocations() noexcept;
/// A sanitizer has an allocator of its own, and not every C library lets a program stand in for its own.
[[nodiscard]] bool counts_allocations() noexcept;

}  // namespace tp::test
