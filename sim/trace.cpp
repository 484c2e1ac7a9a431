// Events as lines for a reader.
#include "trace.hpp"

#include <algorithm>
#include <map>

#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

/// What objects are, as far as the events have told.
class readable {
 public:
  explicit readable(const world::state& world) : world_(world) {}

  /// Empty: nothing worth a line.
  std::string line(const event& e) {
    const std::string what = text(e);
    if (what.empty()) return {};
    const auto time = e.at.time_since_epoch().count();
    return join("  ", padded(std::to_string(time / 1'000'000'000), 5), '.',
                padded(std::to_string(time / 1000 % 1'000'000), 6, '0'), "s  ",
                padded(world_.label(e.thread), -28), ' ', what, '\n');
  }

 private:
  std::string text(const event& e) {
    switch (e.what) {
      case happening::thread_started:
        return "starts the thread " + world_.label(e.object);
      case happening::thread_ended:
        return "ends";
      case happening::begun:
        return begun(e);
      case happening::done:
        return done(e);
      case happening::connected:
        known_[e.object] = join("connection ", e.object);
        known_[e.value] = join("connection ", e.value, " (the server's end of ", e.object, ')');
        return join("connects: connection ", e.object);
      case happening::accepted:
        return "accepts " + name(e.value);
      case happening::bound:
        known_[e.object] = "the name " + world_.place_of(e.object);
        return "binds " + world_.place_of(e.object);
      case happening::closed:
        return known_.contains(e.object) ? "closes " + name(e.object) : "";
      case happening::killed:
        return join("kills the process with pid ", e.object);
      case happening::entered:
        return "acts as " + world_.host_of(e.thread).user_name(e.value);
      case happening::reverted:
        return "acts as itself again";
      case happening::read_file:
        return "reads a file" + outcome(e);
      case happening::logged:
        return "says: " + (e.value < world_.logged.size() ? world_.logged[e.value] : "");
      case happening::failed:
        return "fails";
      case happening::waits:
        return waits(e);
      case happening::faulted:
        return join("has a fault", e.code != 0 ? outcome(e) : std::string(": the connection is reset"));
      case happening::paused:
        return join("pauses the process with pid ", e.object);
      case happening::resumed:
        return join("lets the process with pid ", e.object, " go on");
      case happening::locked:
        return join("locks mutex ", e.object);
      case happening::unlocked:
        return join("unlocks mutex ", e.object);
      default:
        return {};
    }
  }
  static std::string waits(const event& e) {
    switch (static_cast<wait>(e.kind)) {
      case wait::condition:
        return "waits for a condition";
      case wait::event:
        return "waits for an event";
      case wait::thread_end:
        return "waits for the end of a thread";
      case wait::time:
        return "sleeps";
      default:
        return {};
    }
  }
  std::string begun(const event& e) {
    const auto what = static_cast<kind>(e.kind);
    if (what == kind::schedule || what == kind::sleep) return {};  // of a runtime, for itself
    if (what == kind::lock) return join("waits for mutex ", e.object);
    return join("waits to ", name_of(what), object(e.object));
  }
  static std::string outcome(const event& e) {
    const auto code = static_cast<errc>(e.code);
    return code == errc::none ? "" : join(": ", to_string(code));
  }
  std::string done(const event& e) {
    const auto what = static_cast<kind>(e.kind);
    if (what == kind::schedule || what == kind::sleep) return {};
    if (what == kind::accept && e.code == 0) return {};  // said already
    if (what == kind::connect && e.code == 0) return {};
    const bool counts = (what == kind::read || what == kind::write) && e.code == 0;
    return join(does(e.kind), counts ? join(' ', e.value, " bytes") : std::string(), object(e.object),
                outcome(e));
  }
  static std::string_view does(std::uint8_t kind) {
    static constexpr std::string_view words[] = {"reads",   "writes",      "shuts down",  "drains",
                                                 "accepts", "is readable", "is writable", "connects",
                                                 "sleeps",  "goes on",     "locks"};
    return words[kind];
  }
  std::string name(std::uint32_t number) const {
    const auto found = known_.find(number);
    return found != known_.end() ? found->second : "";
  }
  std::string object(std::uint32_t number) const {
    return known_.contains(number) ? " at " + name(number) : "";
  }

  const world::state& world_;
  std::map<std::uint32_t, std::string> known_;
};

}  // namespace

std::string trace_of(const world::state& world, std::size_t most) {
  const chronicle& all = world.time.chronicle();
  readable reader(world);
  std::vector<std::string> lines;
  for (std::size_t i = all.first_kept(); i < all.noted(); ++i) {
    std::string line = reader.line(all.at(i));
    if (!line.empty()) lines.push_back(std::move(line));
  }
  std::string text;
  const std::size_t first = lines.size() - std::min(most, lines.size());
  if (first > 0 || all.first_kept() > 0) text = "  ...\n";
  for (std::size_t i = first; i < lines.size(); ++i) text += lines[i];
  return text;
}

std::string trace_line(const world::state& world, std::size_t number) {
  const chronicle& all = world.time.chronicle();
  if (number < all.first_kept() || number >= all.noted()) return "  nothing, it had ended\n";
  readable reader(world);
  std::string line;
  for (std::size_t i = all.first_kept(); i <= number; ++i) line = reader.line(all.at(i));
  const event e = all.at(number);
  return line.empty()
             ? join("  event of kind ", static_cast<int>(e.what), " by ", world.label(e.thread), '\n')
             : line;
}

}  // namespace tp::sim
