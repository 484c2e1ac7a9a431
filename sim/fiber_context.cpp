// Fibers by Boost.Context: switches of stacks, and where stacks come from.
#include "fiber.hpp"

#include <cxxabi.h>

#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define TWINPIPE_ADDRESS_SANITIZER
#elif defined(__SANITIZE_THREAD__)
#define TWINPIPE_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TWINPIPE_ADDRESS_SANITIZER
#elif __has_feature(thread_sanitizer)
#define TWINPIPE_THREAD_SANITIZER
#endif
#endif

#ifdef TWINPIPE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef TWINPIPE_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
// What the compiler puts at the beginning and the end of each function.
extern "C" void __tsan_func_entry(void* caller);
extern "C" void __tsan_func_exit();
#endif

namespace tp::sim {
namespace {

/// Sanitized frames are several times as large.
#if defined(TWINPIPE_ADDRESS_SANITIZER) || defined(TWINPIPE_THREAD_SANITIZER)
constexpr std::size_t stack_size = std::size_t{1} << 20U;
#else
constexpr std::size_t stack_size = std::size_t{256} << 10U;
#endif

/// The stacks of this thread are given up: it ends, and only worlds that are static are still there.
constinit thread_local bool stacks_gone = false;

/// Stacks that aren't in use, each above a page that nobody may touch. Memory is the system's until it is
/// touched, so a large stack costs little.
///
/// With a stack stays the address sanitizer's fake one: the end of a fiber still runs on that, so it can't be
/// given up there, and the next fiber on the stack goes on with it.
class stack_pool {
 public:
  struct kept {
    boost::context::stack_context stack;
    void* fake_stack = nullptr;
  };
  stack_pool() = default;
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  ~stack_pool() {
    stacks_gone = true;
    for (kept& each : idle_) source_.deallocate(each.stack);
  }
  kept take() {
    if (idle_.empty()) return {source_.allocate()};
    const kept last = idle_.back();
    idle_.pop_back();
    return last;
  }
  /// Of the fiber whose stack is given back next.
  void keep(void* fake_stack) noexcept { fake_stack_ = fake_stack; }
  void give_back(boost::context::stack_context stack) {
#ifdef TWINPIPE_ADDRESS_SANITIZER
    __asan_unpoison_memory_region(static_cast<char*>(stack.sp) - stack_size, stack_size);
#endif
    const kept whole{stack, std::exchange(fake_stack_, nullptr)};
    idle_.size() < most ? idle_.push_back(whole) : source_.deallocate(stack);
  }

 private:
  static constexpr std::size_t most = 1024;
  boost::context::protected_fixedsize_stack source_{stack_size};
  std::vector<kept> idle_;
  void* fake_stack_ = nullptr;
};

/// Null: it is gone, and stacks are the system's.
stack_pool* pool() {
  if (stacks_gone) return nullptr;
  static thread_local stack_pool own;  // worlds of one thread use each other's stacks again
  return &own;
}

stack_pool::kept take_stack() {
  if (stack_pool* const all = pool()) return all->take();
  return {boost::context::protected_fixedsize_stack(stack_size).allocate()};
}

/// What Boost.Context gives a stack back to.
struct pooled_stack {
  void deallocate(boost::context::stack_context& used) {
    if (stack_pool* const all = pool()) return all->give_back(used);
    boost::context::protected_fixedsize_stack(stack_size).deallocate(used);
  }
};

}  // namespace

bool fibers_available() noexcept {
  return true;
}

fiber::fiber() noexcept : of_thread_(abi::__cxa_get_globals()) {
#ifdef TWINPIPE_THREAD_SANITIZER
  shadow_ = __tsan_get_current_fiber();
#endif
}

fiber::~fiber() {
#ifdef TWINPIPE_THREAD_SANITIZER
  if (size_ != 0) __tsan_destroy_fiber(shadow_);
#endif
}

void fiber::start(fiber* (*body)(void*), void* context) {
  body_ = body;
  context_of_body_ = context;
  exceptions_ = {};
  const auto [stack, fake_stack] = take_stack();
  fake_stack_ = fake_stack;
  bottom_ = static_cast<char*>(stack.sp) - stack_size;
#ifdef TWINPIPE_THREAD_SANITIZER
  if (size_ == 0) shadow_ = __tsan_create_fiber(0);
#endif
  size_ = stack_size;
  context_ = boost::context::fiber(std::allocator_arg,
                                   boost::context::preallocated(stack.sp, stack.size, stack), pooled_stack(),
                                   [this](boost::context::fiber&& from) { return run(std::move(from)); });
#ifdef TWINPIPE_THREAD_SANITIZER
  // Boost.Context has entered the function with which the fiber begins, and left it by a jump: without an end
  // the sanitizer's stack of calls would grow here with each fiber that starts.
  __tsan_func_exit();
#endif
}

boost::context::fiber fiber::run(boost::context::fiber&& from) {
  left_->context_ = std::move(from);
  arrive();
  fiber* const next = body_(context_of_body_);
  bottom_ = nullptr;
  next->left_ = this;
  leave(*next);
#ifdef TWINPIPE_THREAD_SANITIZER
  // The end of this function will be counted where `next` is: without its begin the sanitizer's stack of
  // calls would shrink there with each fiber that ends.
  __tsan_func_entry(__builtin_return_address(0));
#endif
  if (stack_pool* const all = pool()) all->keep(fake_stack_);
  return std::move(next->context_);
}

void fiber::switch_to(fiber& next) {
  next.left_ = this;
  leave(next);
  boost::context::fiber from = std::move(next.context_).resume();
  left_->context_ = std::move(from);
  arrive();
}

// A large frame may begin beyond the page that nobody may touch.
bool fiber::overflows_at(const void* address) const noexcept {
  constexpr std::uintptr_t nearly = std::uintptr_t{64} << 10U;
  const auto at = reinterpret_cast<std::uintptr_t>(address), end = reinterpret_cast<std::uintptr_t>(bottom_);
  return at < end && end - at <= nearly;
}

void fiber::leave([[maybe_unused]] fiber& next) noexcept {
  std::memcpy(&exceptions_, of_thread_, sizeof exceptions_);
#ifdef TWINPIPE_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(&fake_stack_, next.bottom_, next.size_);
#endif
#ifdef TWINPIPE_THREAD_SANITIZER
  __tsan_switch_to_fiber(next.shadow_, 0);
#endif
}

void fiber::arrive() noexcept {
  std::memcpy(of_thread_, &exceptions_, sizeof exceptions_);
#ifdef TWINPIPE_ADDRESS_SANITIZER
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
  if (left_->size_ == 0) {  // it runs on a stack that we didn't make, and learn about only now
    left_->bottom_ = const_cast<void*>(bottom);
    left_->size_ = size;
  }
#endif
}

}  // namespace tp::sim
