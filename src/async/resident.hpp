// Objects that live on a runtime for as long as the backend or a handle needs them.
#pragma once

#include <cstdint>
#include <utility>

#include "twinpipe/backend/op.hpp"

namespace tp::detail {

class runtime_state;

/// Counted by its handle and by each operation the backend has of it; belongs to one thread, so the count is
/// a plain number. The runtime knows all of them, to close them before it goes.
class resident {
 public:
  resident(const resident&) = delete;
  resident& operator=(const resident&) = delete;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) destroy();
  }
  /// The runtime ends: close everything now; the operations then complete.
  virtual void evict() noexcept = 0;

 protected:
  explicit resident(runtime_state& runtime) noexcept;
  virtual ~resident();
  /// Nobody holds it any more.
  virtual void destroy() noexcept { delete this; }

  runtime_state& runtime_;

 private:
  friend class runtime_state;
  resident* next_ = nullptr;
  resident* previous_ = nullptr;
  std::uint32_t references_ = 0;
  bool evicted_ = false;
};

/// A counted pointer to a resident.
template <class T>
class ref {
 public:
  ref() noexcept = default;
  explicit ref(T* object) noexcept : object_(object) {
    if (object_ != nullptr) object_->retain();
  }
  ref(const ref& other) noexcept : ref(other.object_) {}
  ref(ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  ref& operator=(ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~ref() {
    if (object_ != nullptr) object_->release();
  }

  /// Takes over a count that somebody holds already, an operation's for example.
  [[nodiscard]] static ref adopt(T* object) noexcept {
    ref taken;
    taken.object_ = object;
    return taken;
  }

  [[nodiscard]] T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

template <class Method>
struct owner_of;
template <class T>
struct owner_of<void (T::*)()> {
  using type = T;
};
template <class T>
struct owner_of<void (T::*)() noexcept> {
  using type = T;
};

/// For an operation whose context is a resident, and which was counted when it was started: takes the count
/// over and calls the method.
template <auto Method>
[[nodiscard]] backend::op::handler handler() noexcept {
  using owner = owner_of<decltype(Method)>::type;
  return [] [[gnu::hot]] (backend::op & op) noexcept {
    const auto self = ref<owner>::adopt(static_cast<owner*>(op.context));
    ((*self).*Method)();
  };
}

}  // namespace tp::detail
