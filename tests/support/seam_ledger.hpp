// What a run did at the seam: calls counted, one of them made to fail, objects alive, and breaches of the
// contract.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tp::test {

/// The functions of the seam that can answer an error of the system.
enum class seam_call : std::uint8_t {
  bind,
  make_system,
  attach_blocking,
  make_interrupt,
  adopt,
  connect,
  open,
  attach,
  accept,
  read,
  write,
  shutdown,
  drain,
  wait,
  check_client,
  enter_client,
  open_directory,
  read_file,
  start_thread,
};
inline constexpr std::size_t seam_calls = 19;

[[nodiscard]] std::string_view to_string(seam_call what) noexcept;

/// How it fails.
enum class fault_shape : std::uint8_t {
  once,          ///< it answers the error at once
  from_then_on,  ///< so do all calls that follow
  later,         ///< it is pending, and ends with the error on a later turn
};
inline constexpr std::size_t fault_shapes = 3;

/// Is it an operation, which may be pending?
[[nodiscard]] bool may_be_pending(seam_call what) noexcept;

/// The call number `number`, from 1, fails.
struct seam_fault {
  seam_call what;
  std::size_t number = 1;
  fault_shape shape = fault_shape::once;
};

/// Shared by all decorators of one run, whatever their threads.
class ledger {
 public:
  explicit ledger(std::optional<seam_fault> fault = {}) noexcept : fault_(fault) {}

  /// Counts the call; true if it has to fail.
  [[nodiscard]] bool must_fail(seam_call what) noexcept;
  [[nodiscard]] bool fails_later() const noexcept { return fault_ && fault_->shape == fault_shape::later; }
  [[nodiscard]] bool has_fault() const noexcept { return fault_.has_value(); }
  [[nodiscard]] std::size_t calls(seam_call what) const noexcept { return calls_[index(what)]; }

  void breach(const std::string& text);
  /// Breaches of the contract, and what is still alive although the run is over; empty if all is well.
  [[nodiscard]] std::string verdict() const;

  std::atomic<int> processes = 0, systems = 0, names = 0, acceptors = 0, streams = 0, detached = 0,
                   operations = 0;

 private:
  static std::size_t index(seam_call what) noexcept { return static_cast<std::size_t>(what); }

  const std::optional<seam_fault> fault_;
  std::array<std::atomic<std::size_t>, seam_calls> calls_{};
  mutable std::mutex lock_;
  std::vector<std::string> breaches_;
};

/// Adds one to a count of the ledger for as long as it lives.
class alive {
 public:
  explicit alive(std::atomic<int>& count) noexcept : count_(count) { ++count_; }
  alive(const alive&) = delete;
  alive& operator=(const alive&) = delete;
  ~alive() { --count_; }

 private:
  std::atomic<int>& count_;
};

}  // namespace tp::test
