// What the conformance suite needs of a twin. fixture_sim.cpp and ../support/fixture_real.cpp implement it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/case.hpp"
#include "conformance/world.hpp"
#include "twinpipe/backend.hpp"

namespace tp::conformance {

/// One run's place in a twin.
class twin {
 public:
  using parties = std::deque<std::unique_ptr<party>>;

  virtual ~twin() = default;
  /// The first column of skips.txt.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual backend::capabilities features() = 0;
  /// Is there a machine or a user for whom this twin lacks it? Only then may skips.txt say so.
  [[nodiscard]] virtual bool may_lack(capability what) = 0;
  /// So many bytes at most does a stream take while its peer doesn't read.
  [[nodiscard]] virtual std::size_t pipe_capacity() const = 0;
  /// May a read or write move less than it could?
  [[nodiscard]] virtual bool short_io() const { return false; }

  [[nodiscard]] virtual std::uint32_t uid(user who) const = 0;
  [[nodiscard]] virtual std::uint32_t gid(user who) const = 0;
  [[nodiscard]] virtual std::uint32_t shared_group() const = 0;
  /// A directory of that user's; a new one each time, whose path ends in `below`: nothing, or "/one/two".
  [[nodiscard]] virtual std::string make_directory(user owner, const std::string& below, unsigned mode) = 0;
  virtual void make_file(const std::string& path, const std::string& contents,
                         const file_options& options) = 0;

  /// A process for the calling thread, which is that user's.
  [[nodiscard]] virtual std::unique_ptr<backend::process> make_process(user who) = 0;
  [[nodiscard]] virtual std::unique_ptr<backend::mutex> make_lock() = 0;

  /// Begins, turns and finishes each party on its own thread, or all on this one. If they don't end in time
  /// it calls world.give_up(), and if they don't end even then, the program is aborted.
  virtual void run(world& in, parties& all) = 0;

  /// Descriptors or handles that this program has open, if the twin can tell; 0 if not.
  [[nodiscard]] virtual std::size_t open_descriptors() const = 0;
};

[[nodiscard]] std::unique_ptr<twin> make_twin();

/// Registers what only this twin can do with a case, before main(); `which` stays.
void add_tests(const conformance_case& which);

/// Calls all of these, beside each other if the twin has threads of its own, and returns when all have ended.
void run_beside(const std::vector<std::function<void()>>& jobs);

}  // namespace tp::conformance
