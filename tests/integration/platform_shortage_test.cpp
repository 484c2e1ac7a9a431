// A machine on which something is missing: descriptors, /proc.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <limits>

#include "platform_support.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"

namespace tp::test {

namespace fs = std::filesystem;

TEST_CASE("whichever descriptor is missing, bind says no_resources and leaves no socket behind") {
  if (sanitized) return skip("a sanitizer needs descriptors of its own, to look at memory");
  temporary_directory directory;
  ::close(plain_socket(directory / "stale", true));
  for (const char* name : {"new", "stale"}) {
    bool bound_at_last = false;
    for (unsigned count = 0; count < 8 && !bound_at_last; ++count) {
      child server([&](const child::handle&) {
        rig rig;
        allow_more_descriptors(count);
        const auto bound = rig.process->names().bind(request_for(directory / name));
        return bound ? 0 : static_cast<int>(bound.error().code());
      });
      const auto code = static_cast<errc>(server.wait());
      bound_at_last = code == errc::none;
      INFO(name << " with " << count << " descriptors");
      CHECK((bound_at_last || code == errc::no_resources));
      CHECK((name != std::string("new") || !fs::exists(directory / "new")));
    }
    CHECK(bound_at_last);
  }
}

TEST_CASE("without /proc names are bound, replaced when stale, and found all the same") {
  temporary_directory directory;
  ::close(plain_socket(directory / "a", true));
  child server([&](const child::handle&) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::umount2("/proc", MNT_DETACH) != 0 || fs::exists("/proc/self"))
      return 77;
    rig rig;
    for (const bool everyone : {false, true}) {
      auto request = request_for(directory / "a");
      if (everyone) request.access = access_policy::everyone_local();
      const auto bound = rig.process->names().bind(request);
      if (!bound) return everyone ? 2 : 1;
      if (rig.connect(directory / "a") == nullptr) return 3;
    }
    return 0;
  });
  const int code = server.wait();
  if (code == 77) return skip("/proc cannot be taken away here");
  CHECK(code == 0);
}

TEST_CASE("a file that memory has no room for is no_resources, whatever size it claims") {
  if (sanitized) return skip("a sanitizer ends the process when memory runs out");
  temporary_directory directory;
  const std::string sparse = directory.file("sparse", "");
  if (::truncate(sparse.c_str(), off_t{1} << 40) != 0) return skip("no sparse file of a terabyte here");
  child reader([&](const child::handle&) {
    rig rig;
    const rlimit little{std::size_t{256} << 20, std::size_t{256} << 20};
    if (::setrlimit(RLIMIT_AS, &little) != 0) return 99;
    const auto got = rig.process->files().read(nullptr, sparse, std::numeric_limits<std::size_t>::max());
    return got ? 1 : static_cast<int>(got.error().code());
  });
  CHECK(static_cast<errc>(reader.wait()) == errc::no_resources);
}

}  // namespace tp::test
