// Events as lines for a reader. The world may go on meanwhile, so what an event refers to may have been
// overwritten.
#include "trace.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

std::string in_words(std::uint64_t nanoseconds) {
  struct unit {
    std::uint64_t size;
    int digits;
    std::string_view name;
  };
  for (const auto& [size, digits, name] :
       {unit{1'000'000'000, 9, " s"}, {1'000'000, 6, " ms"}, {1000, 3, " us"}}) {
    if (nanoseconds < size) continue;
    std::string text = join(nanoseconds / size, '.', padded(std::to_string(nanoseconds % size), digits, '0'));
    text.resize(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text.append(name);
  }
  return join(nanoseconds, " ns");
}

std::string_view name_of_act(std::uint8_t kind) {
  static constexpr std::string_view names[] = {"bind",  "connect",  "accept", "read",
                                               "write", "shutdown", "drain",  "read of a file"};
  return kind < std::size(names) ? names[kind] : "act";
}

std::string outcome(const event& e) {
  const auto code = static_cast<errc>(e.code);
  return code == errc::none ? "" : join(": ", to_string(code));
}

/// What objects are, as far as the events have told.
class readable {
 public:
  explicit readable(const world::state& world) : world_(world) {}

  /// What happened; empty: nothing worth a line.
  std::string text(const event& e) {
    switch (e.what) {
      case happening::begun:
        return begun(e);
      case happening::done:
        return done(e);
      case happening::waits:
        return waits(e);
      case happening::connected:
      case happening::accepted:
      case happening::bound:
      case happening::closed:
      case happening::called:
        return of_a_connection(e);
      case happening::locked:
        holders_[e.object] = e.thread;
        return join("locks mutex ", e.object);
      case happening::unlocked:
        holders_.erase(e.object);
        return join("unlocks mutex ", e.object);
      case happening::delayed:
        return join("has a fault: its ", name_of_act(e.kind), " is delayed by ", in_words(subject(e)));
      case happening::faulted:
        return join("has a fault: its ", name_of_act(e.kind), " ",
                    e.code != 0 ? join("fails", outcome(e)) : std::string("finds the connection reset"));
      default:
        return of_a_process(e);
    }
  }

 private:
  static std::uint64_t subject(const event& e) { return (std::uint64_t{e.object} << 32U) | e.value; }
  static std::string one_of(const published<std::string>& all, std::uint32_t number) {
    return number < all.size() ? all[number] : std::string("?");
  }
  std::string process(std::uint32_t number) const { return one_of(world_.known_processes, number); }

  std::string of_a_process(const event& e) {
    switch (e.what) {
      case happening::thread_started:
        return "starts the thread " + world_.label(e.object);
      case happening::thread_ended:
        return "ends";
      case happening::returned:
        exits_ = e.object;
        return join("returns ", static_cast<std::int32_t>(e.value), " from its program");
      case happening::killed:
        return std::exchange(exits_, std::nullopt) == e.value ? "" : "kills " + process(e.value);
      case happening::paused:
        return "pauses " + process(e.value);
      case happening::resumed:
        return join("lets ", process(e.value), ", go on");
      case happening::entered:
        return "acts as " + world_.host_of(e.thread).user_name(e.value);
      case happening::reverted:
        return "acts as itself again";
      case happening::read_file:
        return "reads a file" + outcome(e);
      case happening::logged:
        return "says: " + one_of(world_.logged, e.value);
      case happening::chose:
        return join("chooses ", e.value, " of 0 to ", e.object - 1);
      case happening::let_others:
        return "sleeps for no time, so that others may go on";
      case happening::remarked:
        return one_of(world_.remarks, e.object);
      case happening::failed:
        return "fails";
      default:
        return {};
    }
  }
  std::string of_a_connection(const event& e) {
    switch (e.what) {
      case happening::called:
        called_ = e.object;
        return {};
      case happening::connected:
        known_[e.object] = join("connection ", e.object);
        known_[e.value] = join("connection ", e.value, " (the server's end of ", e.object, ')');
        return join("connects to ", world_.place_of(called_), ": connection ", e.object);
      case happening::accepted:
        return "accepts " + name(e.value);
      case happening::bound:
        known_[e.object] = "the name " + world_.place_of(e.object);
        return "binds " + world_.place_of(e.object);
      default:
        if (!known_.contains(e.object)) return {};
        if (static_cast<errc>(e.code) == errc::process_killed)
          return join(name(e.object), " is closed: its process is dead");
        return "closes " + name(e.object);
    }
  }
  std::string waits(const event& e) const {
    switch (static_cast<wait>(e.kind)) {
      case wait::condition:
        return "waits for a condition";
      case wait::event:
        return "waits for an event";
      case wait::thread_end:
        return "waits for the end of " + world_.label(e.value);
      case wait::time:
        if (subject(e) == 0) return {};  // a delay, of which it was told
        return subject(e) > std::uint64_t{INT64_MAX} / 2 ? "sleeps for ever"
                                                         : "sleeps for " + in_words(subject(e));
      default:
        return {};
    }
  }
  std::string begun(const event& e) const {
    const auto what = static_cast<kind>(e.kind);
    if (what == kind::schedule || what == kind::sleep) return {};  // of a runtime, for itself
    if (what != kind::lock) return join("waits to ", name_of(what), object(e.object));
    const auto holder = holders_.find(e.object);
    return join("waits for mutex ", e.object,
                holder == holders_.end() ? "" : join(", which ", world_.label(holder->second), " holds"));
  }
  std::string done(const event& e) const {
    static constexpr std::string_view words[] = {"reads",   "writes",      "shuts down",  "drains",
                                                 "accepts", "is readable", "is writable", "connects",
                                                 "sleeps",  "goes on",     "locks"};
    const auto what = static_cast<kind>(e.kind);
    if (what == kind::schedule || what == kind::sleep || e.kind >= std::size(words)) return {};
    if (what == kind::accept && e.code == 0) return {};  // said already
    if (what == kind::connect && e.code == 0) return {};
    if (what == kind::connect) return "tries to connect" + outcome(e);
    const bool counts = (what == kind::read || what == kind::write) && e.code == 0;
    return join(words[e.kind], counts ? join(' ', e.value, " bytes") : std::string(), object(e.object),
                outcome(e));
  }
  std::string name(std::uint32_t number) const {
    const auto found = known_.find(number);
    return found != known_.end() ? found->second : join("connection ", number);
  }
  std::string object(std::uint32_t number) const {
    return known_.contains(number) ? " at " + name(number) : "";
  }

  const world::state& world_;
  std::map<std::uint32_t, std::string> known_;
  std::map<std::uint32_t, std::uint32_t> holders_;  ///< of mutexes
  std::uint32_t called_ = 0;
  std::optional<std::uint32_t> exits_;  ///< the process whose program has just returned
};

/// Who did what, and when it did so for the first of so many times, one after the other.
struct line {
  time_point at;
  std::uint32_t thread;
  std::string what;
  std::size_t times = 1;

  [[nodiscard]] std::string text(const world::state& world) const {
    const auto time = at.time_since_epoch().count();
    return join("  ", padded(std::to_string(time / 1'000'000'000), 5), '.',
                padded(std::to_string(time / 1000 % 1'000'000), 6, '0'), "s  ",
                padded(world.label(thread), -28), ' ', what,
                times > 1 ? join(" (", times, " times)") : std::string(), '\n');
  }
};

}  // namespace

std::string trace_of(const world::state& world, std::size_t most) {
  const chronicle& all = world.time.chronicle();
  readable reader(world);
  std::vector<line> lines;
  for (std::size_t i = all.first_kept(); i < all.noted(); ++i) {
    const event e = all.at(i);
    std::string what = reader.text(e);
    if (what.empty()) continue;
    const bool again = !lines.empty() && lines.back().thread == e.thread && lines.back().what == what;
    if (again)
      ++lines.back().times;
    else
      lines.push_back({e.at, e.thread, std::move(what)});
  }
  std::string text;
  const std::size_t first = lines.size() - std::min(most, lines.size());
  if (first > 0 || all.first_kept() > 0) text = "  ...\n";
  for (std::size_t i = first; i < lines.size(); ++i) text += lines[i].text(world);
  return text;
}

std::string trace_line(const world::state& world, std::size_t number) {
  const chronicle& all = world.time.chronicle();
  if (number < all.first_kept() || number >= all.noted()) return "  nothing, it had ended\n";
  readable reader(world);
  std::string what;
  for (std::size_t i = all.first_kept(); i <= number; ++i) what = reader.text(all.at(i));
  const event e = all.at(number);
  if (what.empty()) what = join("event of kind ", static_cast<int>(e.what));
  return line{e.at, e.thread, std::move(what)}.text(world);
}

}  // namespace tp::sim
