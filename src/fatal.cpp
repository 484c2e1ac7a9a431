// The end of the program for a mistake in how it uses twinpipe.
#include "fatal.hpp"

#include <cstdio>
#include <cstdlib>

namespace tp::detail {

void fatal(std::string_view what) noexcept {
  std::fprintf(stderr, "twinpipe: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace tp::detail
