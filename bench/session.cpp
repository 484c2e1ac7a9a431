// Clocks, latencies and the pattern in the bytes.
#include "session.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace bench {
namespace {

constexpr std::size_t read_size_of_streams = std::size_t{64} << 10;

std::uint64_t nanoseconds_of(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Any byte that was lost, doubled or moved shows within a few kilobytes; no period is a power of two.
std::byte pattern_at(std::uint64_t position) {
  return static_cast<std::byte>((position * 131 + position / 251) & 0xff);
}

std::uint64_t percentile(std::vector<std::uint32_t>& values, std::size_t percent) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) * percent / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

void give_up(std::string_view what) {
  std::fprintf(stderr, "bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::fflush(stderr);
  _exit(1);
}

void give_up_errno(std::string_view what) {
  give_up(std::string(what) + ": " + std::strerror(errno));
}

session::session(const job& work, side which, outward wires)
    : job_(work), wires_(wires), is_client_(which == side::client) {
  const bool one_way = is_one_way(work.what);
  outgoing_.resize(work.size);
  incoming_.resize(one_way ? std::max(work.size, read_size_of_streams) : work.size);
  if (is_client_) latencies_.reserve(work.count + 1);
}

void session::listening() {
  const char ready = 1;
  if (wires_.listening >= 0 && ::write(wires_.listening, &ready, 1) != 1)
    give_up_errno("say that the server listens");
}

void session::start() {
  if (!job_.timed) return;
  timed_ = is_client_ && !is_one_way(job_.what);
  cpu_start_ = nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID);
  wall_start_ = nanoseconds_of(CLOCK_MONOTONIC);
}

void session::note() {
  const std::uint64_t now = nanoseconds_of(CLOCK_MONOTONIC);
  const std::uint64_t took = now - previous_;
  if (previous_ != 0)
    latencies_.push_back(
        static_cast<std::uint32_t>(std::min<std::uint64_t>(took, std::numeric_limits<std::uint32_t>::max())));
  previous_ = now;
}

void session::arrived(std::size_t bytes) {
  if (wall_start_ == 0 && arrived_ >= job_.warm * job_.size) start();
  arrived_ += bytes;
}

void session::finish() {
  report figures;
  figures.wall_ns = nanoseconds_of(CLOCK_MONOTONIC) - wall_start_;
  figures.cpu_ns = nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_start_;
  figures.median_ns = percentile(latencies_, 50);
  figures.p99_ns = percentile(latencies_, 99);
  const bool receives = !is_client_ || !is_one_way(job_.what);
  if (job_.verify && pattern_in_ != (receives ? job_.total() * job_.size : 0)) give_up("bytes are missing");
  if (wires_.report >= 0 && ::write(wires_.report, &figures, sizeof figures) != sizeof figures)
    give_up_errno("report");
}

void session::write_pattern(std::span<std::byte> bytes) {
  for (std::byte& b : bytes) b = pattern_at(pattern_out_++);
}

void session::compare_pattern(std::span<const std::byte> bytes) {
  for (const std::byte b : bytes)
    if (b != pattern_at(pattern_in_++)) give_up("wrong byte at " + std::to_string(pattern_in_ - 1));
}

}  // namespace bench
