// One of an endpoint's instances, held by a connection or by an accept.
#pragma once

#include <memory>
#include <utility>

namespace tp::detail {

class endpoint_state;

/// Given back when it is destroyed: to the accept that has waited longest, on whatever thread. Empty on the
/// client's side.
class instance_slot {
 public:
  instance_slot() noexcept = default;
  explicit instance_slot(std::shared_ptr<endpoint_state> endpoint) noexcept
      : endpoint_(std::move(endpoint)) {}
  instance_slot(instance_slot&&) noexcept = default;
  instance_slot& operator=(instance_slot&& other) noexcept {
    release();
    endpoint_ = std::move(other.endpoint_);
    return *this;
  }
  ~instance_slot() { release(); }

  void release() noexcept;
  /// Its holder has become a connection.
  void note_admission() const;
  [[nodiscard]] bool held() const noexcept { return endpoint_ != nullptr; }

 private:
  std::shared_ptr<endpoint_state> endpoint_;
};

}  // namespace tp::detail
