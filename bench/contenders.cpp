// The list of all contenders.
#include "contender.hpp"

#include <string>
#include <vector>

namespace bench {

std::span<const contender> contenders() {
  static const std::vector<contender> all = [] {
    std::vector<contender> list;
    const auto add = [&list](std::span<const contender> some) {
      list.insert(list.end(), some.begin(), some.end());
    };
    add(raw_contenders());
    add(epoll_contenders());
    add(uv_contenders());
#ifdef TWINPIPE_BENCH_ASIO
    add(asio_contenders());
#endif
#ifdef TWINPIPE_BENCH_DOTNET
    add(dotnet_contenders());
#endif
    add(async_contenders());
    add(blocking_contenders());
    return list;
  }();
  return all;
}

const contender& contender_named(std::string_view name) {
  for (const contender& one : contenders())
    if (one.name == name) return one;
  give_up("no contender is called " + std::string(name));
}

}  // namespace bench
