// Which operation comes next.
#include "script.hpp"

#include <optional>
#include <vector>

#include "random.hpp"

namespace tp::test::parity {

namespace {

using role = lockstep::role;

/// Writes a script while it runs. Each has a bias of its own, so that some get where an even mixture never
/// does.
class author {
 public:
  author(lockstep& sides, std::uint64_t seed) : sides_(sides), random_(seed) {
    listeners_ = !random_.one_in(4);
    small_ = sides.compares_charges() && !random_.one_in(4);
    urgent_ = sides_.compares_charges() && random_.one_in(5);
    tiny_ = random_.one_in(2);
  }

  std::optional<operation> next() {
    switch (random_.below(16)) {
      case 0:
        return opening();
      case 1:
        return connecting();
      case 2:
        return with(role::listening, verb::accept);
      case 3:
        return random_.one_in(2) ? closing() : std::nullopt;
      case 4:
        return shutting();
      case 5:
        return on_any(verb::error);
      case 6:
        return limiting();
      case 7:
        return on_connected(sides_.compares_charges() ? verb::fill : verb::send, size());
      case 8:
      case 9:
        return on_connected(verb::drain, 1 + size());
      case 10:
        return on_connected(urgent_ ? verb::urgent : verb::send, 1 + random_.below(4));
      case 11:
        return odd();
      default:
        return random_.one_in(2) ? on_connected(verb::send, size()) : on_connected(verb::recv, size());
    }
  }

 private:
  std::size_t size() {
    if (!sides_.compares_charges() || tiny_) return random_.below(800);
    switch (random_.below(8)) {
      case 0:
        return random_.below(3);
      case 1:
        return random_.any_of({192, 193, 704, 705, 1728, 1729, 3776, 3777, 4096, 7872, 7873});
      case 2:
        return random_.below(120'000);
      case 3:
        return random_.any_of({2239, 2240, 2241, 36'543, 36'544, 36'545, 69'312, 73'088});
      default:
        return random_.below(5000);
    }
  }
  std::optional<int> slot_of(role wanted) {
    const auto from = static_cast<int>(random_.below(slots));
    for (int i = 0; i < slots; ++i) {
      if (sides_.is((from + i) % slots) == wanted) return (from + i) % slots;
    }
    return std::nullopt;
  }
  std::optional<int> any_open() {
    const auto from = static_cast<int>(random_.below(slots));
    for (int i = 0; i < slots; ++i) {
      if (sides_.is((from + i) % slots) != role::closed) return (from + i) % slots;
    }
    return std::nullopt;
  }
  std::optional<operation> on_any(verb what, std::size_t n = 0) {
    const auto at = any_open();
    return at ? std::optional(operation{.what = what, .at = *at, .n = n}) : std::nullopt;
  }
  std::optional<operation> on_connected(verb what, std::size_t n) {
    const auto at = slot_of(role::connected);
    return at ? std::optional(operation{.what = what, .at = *at, .n = n}) : opening();
  }
  /// `what` of a socket in that role into a slot that is free.
  std::optional<operation> with(role wanted, verb what) {
    const auto at = slot_of(wanted), into = slot_of(role::closed);
    return at && into ? std::optional(operation{.what = what, .at = *at, .other = *into}) : opening();
  }
  std::optional<operation> opening() {
    const auto at = slot_of(role::closed);
    if (!at) return closing();
    if (listeners_ && random_.one_in(2)) return operation{.what = verb::open, .at = *at};
    for (int other = 0; other < slots; ++other) {
      if (other != *at && sides_.is(other) == role::closed) {
        return operation{.what = verb::pair, .at = *at, .other = other};
      }
    }
    return closing();
  }
  /// Somebody to connect, or somebody to connect to.
  std::optional<operation> connecting() {
    const auto client = slot_of(role::fresh), listener = slot_of(role::listening);
    if (client && (!listener || random_.one_in(6))) {
      return operation{.what = verb::listen, .at = *client, .n = random_.below(3)};
    }
    if (!client) return listeners_ ? opening() : std::nullopt;
    return operation{.what = verb::connect, .at = *client, .other = *listener};
  }
  std::optional<operation> closing() { return on_any(verb::close); }
  std::optional<operation> shutting() {
    return random_.one_in(2) ? on_any(verb::shutdown, 1 + random_.below(3)) : std::nullopt;
  }
  std::optional<operation> limiting() {
    return small_
               ? on_connected(verb::limit, random_.any_of({1, 2400, 3000, 4609, 4610, 6912, 10'000, 40'000}))
               : std::nullopt;
  }
  /// What one doesn't do: the wrong call for the socket, or no bytes.
  std::optional<operation> odd() {
    const auto at = any_open(), named = slot_of(random_.one_in(2) ? role::fresh : role::listening);
    if (!at) return std::nullopt;
    switch (random_.below(7)) {
      case 0:
        return operation{.what = verb::send, .at = *at, .n = random_.below(2)};
      case 1:
        return operation{.what = verb::recv, .at = *at, .n = random_.below(2)};
      case 2:
        return operation{.what = verb::listen, .at = *at, .n = random_.below(3)};
      case 3:
        return named ? std::optional(operation{verb::connect, *at, *named}) : std::nullopt;
      case 4:
        return with(role::connected, verb::accept);
      case 5:
        return with(role::fresh, verb::accept);
      default:
        return urgent_ ? on_any(verb::urgent, random_.below(2)) : std::nullopt;
    }
  }

  lockstep& sides_;
  generator random_;
  bool listeners_, small_, urgent_, tiny_;
};

}  // namespace

std::string run_script(lockstep& sides, std::uint64_t seed) {
  author writes(sides, seed);
  for (int step = 0; step < 100 && sides.difference().empty(); ++step) {
    if (const auto o = writes.next()) (void)sides.run(*o);
  }
  if (sides.difference().empty()) return {};
  return "script of seed " + std::to_string(seed) + ":\n" + sides.difference();
}

}  // namespace tp::test::parity
