// The process that removes the directory.
#include "kept_directory.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "support/real_user.hpp"

namespace tp::test::parity::api {

namespace {

void wait_for_end(int pipe) {
  char none = 0;
  while (::read(pipe, &none, 1) != 0 && errno == EINTR) {
  }
}

}  // namespace

kept_directory::kept_directory() : path_(make_private_directory()) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  keeper_ = ::fork();
  if (keeper_ == 0) {
    ::setsid();  // what a terminal sends to the program isn't for it
    for (const int each : {SIGTERM, SIGINT, SIGHUP}) std::signal(each, SIG_IGN);
    ::close(ends[1]);
    wait_for_end(ends[0]);
    remove_directory(path_);
    std::_Exit(0);
  }
  ::close(ends[0]);
  alive_ = ends[1];
}

kept_directory::~kept_directory() {
  ::close(alive_);
  ::waitpid(keeper_, nullptr, 0);
}

}  // namespace tp::test::parity::api
