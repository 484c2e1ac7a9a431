// A thread of control without a thread: a stack and where it left off.
#pragma once

#include <cstddef>

#ifdef TWINPIPE_FIBERS
#include <boost/context/fiber.hpp>
#endif

namespace tp::sim {

/// Has this build any? They are Boost.Context's.
[[nodiscard]] bool fibers_available() noexcept;

/// What runs on a stack of its own, or, made without one, what called the first. Only one runs at a time.
///
/// With it go the exceptions in flight on its stack, which the C++ library keeps per thread, and what the
/// sanitizers have to be told.
class fiber {
 public:
  /// The caller's own stack.
  fiber() noexcept;
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber();

  /// Gives it a stack, on which `body(context)` runs from the first switch on. What the body returns is where
  /// control goes at its end; the stack is given back then.
  void start(fiber* (*body)(void*), void* context);
  /// Leaves this one, which is running, for `next`; returns when somebody comes back.
  void switch_to(fiber& next);
  /// Has it been left below its stack if that address was touched?
  [[nodiscard]] bool overflows_at(const void* address) const noexcept;

#ifdef TWINPIPE_FIBERS
 private:
  struct exceptions_in_flight {  // __cxa_eh_globals (Itanium C++ ABI, exception handling, 2.2.2)
    void* caught;
    unsigned int uncaught;
  };

  boost::context::fiber run(boost::context::fiber&& from);
  void leave(fiber& next) noexcept;
  void arrive() noexcept;

  boost::context::fiber context_;  ///< while it is left
  exceptions_in_flight exceptions_{};
  void* of_thread_;  ///< __cxa_get_globals() of the program's thread, looked up once
  fiber* (*body_)(void*) = nullptr;
  void* context_of_body_ = nullptr;
  fiber* left_ = nullptr;  ///< whom control came from
  // For the sanitizers.
  void* bottom_ = nullptr;  ///< the lowest address of its stack
  std::size_t size_ = 0;
  [[maybe_unused]] void* fake_stack_ = nullptr;
  [[maybe_unused]] void* shadow_ = nullptr;
#endif
};

}  // namespace tp::sim
