// One side of a measurement: what it exchanges, and what is noted of it. Every contender drives the same
// session, so that they are timed and checked alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class workload : std::uint8_t {
  round_trip,  ///< the client sends `size` bytes, the server sends them back
  stream,      ///< the client sends, one send after the other; the server says one byte when it has all
  queued,      ///< the same with many sends pending at a time, where a contender has that
  connect,     ///< connect, one round trip, close; one after the other
};

[[nodiscard]] constexpr bool is_one_way(workload what) noexcept {
  return what == workload::stream || what == workload::queued;
}

/// One measurement, the same on both sides.
struct job {
  workload what = workload::round_trip;
  std::size_t size = 64;
  std::uint64_t warm = 0;   ///< operations before the measured part
  std::uint64_t count = 1;  ///< operations in it
  bool verify = false;      ///< every byte carries what it must be
  bool timed = true;        ///< else no clock is read
  std::string path;         ///< of the socket

  [[nodiscard]] std::uint64_t total() const noexcept { return warm + count; }
};

/// What one process can say about the measured part.
struct report {
  std::uint64_t cpu_ns = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t median_ns = 0;  ///< of one operation; of a client that waits for each, else 0
  std::uint64_t p99_ns = 0;     ///< likewise
};

/// Descriptors on which a side tells the process that started it; -1: nobody listens.
struct outward {
  int listening = -1;  ///< gets one byte when clients may connect
  int report = -1;     ///< gets the report
};

/// Prints the reason and ends the process: a measurement that went wrong has no result.
[[noreturn]] void give_up(std::string_view what);
/// The same, with errno's text.
[[noreturn]] void give_up_errno(std::string_view what);

class session {
 public:
  enum class side : std::uint8_t { server, client };

  session(const job& work, side which, outward wires);

  [[nodiscard]] const job& work() const noexcept { return job_; }
  [[nodiscard]] const outward& wires() const noexcept { return wires_; }
  /// The server calls it when clients may connect.
  void listening();

  /// Before each operation, and once after the last.
  void step() {
    if (done_ == job_.warm) start();
    if (timed_) note();
    ++done_;
  }
  /// The receiving end of a stream: so many bytes came.
  void arrived(std::size_t bytes);
  [[nodiscard]] std::uint64_t bytes_to_come() const noexcept { return job_.total() * job_.size - arrived_; }
  /// After the last operation; sends the report.
  void finish();

  /// `size` bytes to send. stamp() makes them what the peer expects next.
  [[nodiscard]] std::span<std::byte> outgoing() noexcept { return outgoing_; }
  void stamp(std::span<std::byte> bytes) {
    if (job_.verify) write_pattern(bytes);
  }
  /// For what comes: `size` bytes, or for streams as much as a read may well get.
  [[nodiscard]] std::span<std::byte> incoming() noexcept { return incoming_; }
  void check(std::span<const std::byte> bytes) {
    if (job_.verify) compare_pattern(bytes);
  }

 private:
  void start();
  void note();
  void write_pattern(std::span<std::byte> bytes);
  void compare_pattern(std::span<const std::byte> bytes);

  const job& job_;
  outward wires_;
  bool timed_ = false;  ///< each operation, now
  bool is_client_;
  std::uint64_t done_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t pattern_out_ = 0;
  std::uint64_t pattern_in_ = 0;
  std::uint64_t cpu_start_ = 0;
  std::uint64_t wall_start_ = 0;
  std::uint64_t previous_ = 0;
  std::vector<std::uint32_t> latencies_;
  std::vector<std::byte> outgoing_;
  std::vector<std::byte> incoming_;
};

}  // namespace bench
