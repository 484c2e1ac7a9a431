// Whether a sanitizer is built in.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TWINPIPE_TEST_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TWINPIPE_TEST_SANITIZED 1
#endif

#ifndef TWINPIPE_TEST_SANITIZED
#define TWINPIPE_TEST_SANITIZED 0
#endif

namespace tp::test {
/// A sanitizer is built in: it has an allocator and descriptors of its own, and makes code several times
/// slower.
inline constexpr bool sanitized = TWINPIPE_TEST_SANITIZED;
}  // namespace tp::test
