// Users, directories and descriptors of the real system, for tests that need more than one user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tp::test {

struct real_user {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> groups;
};

/// Whoever runs the tests.
[[nodiscard]] real_user this_user();
/// The calling thread, and only it, is that user for the rest of its life; effective ids and groups. Aborts
/// if it can't be.
void become(const real_user& user);

/// A new directory for one test, mode 0755.
[[nodiscard]] std::string make_private_directory();
/// With those above it, mode 0755, if they are missing.
void make_directory(const std::string& path, const real_user& owner, unsigned mode);
void make_file(const std::string& path, const std::string& contents, std::uint32_t uid, std::uint32_t gid,
               unsigned mode);
/// With everything in it.
void remove_directory(const std::string& path);

/// So many bytes, with what the kernel counts for each buffer, wait at most in a Unix socket.
[[nodiscard]] std::size_t socket_capacity();
/// Descriptors that this program has open.
[[nodiscard]] std::size_t count_descriptors();

}  // namespace tp::test
