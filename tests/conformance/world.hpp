// The world of one run of a conformance case: its processes, users, places, files and flags.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/arm.hpp"
#include "twinpipe/backend/process.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/task.hpp"

namespace tp::test {
class ledger;
}

namespace tp::conformance {

class party;
class twin;
class host;
class flag;

/// own: whoever runs the tests; on the simulated twin, and on the real one if that is root, a superuser.
/// alice and bob are others, without privileges; alice is a member of the shared group, bob is in no group
/// but his own. A case that uses alice or bob needs capability::impersonation.
enum class user : std::uint8_t { own, alice, bob };

/// Thrown by a failed expectation to end its party; nobody but the world catches it.
struct unwound {};

struct file_options {
  user owner = user::own;
  unsigned mode = 0600;
  bool shared_group = false;  ///< belongs to the shared group, not to the group of its owner
};

/// What the two parties of world::pair are.
struct pair_options {
  endpoint_options server = {};
  connect_options client = {};
  user client_user = user::own;
};

class world {
 public:
  using body = std::function<task<void>(party&)>;
  using half = std::function<task<void>(party&, connection&)>;

  world(twin& place, test::ledger& ledger, bool under_faults);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  [[nodiscard]] backend::capabilities features() const;
  /// So many bytes at most does a stream take while its peer doesn't read.
  [[nodiscard]] std::size_t pipe_capacity() const;
  [[nodiscard]] bool short_io() const;
  /// Is this one of the runs for faults? Cases may move fewer bytes then; nothing else should differ.
  [[nodiscard]] bool under_faults() const noexcept { return under_faults_; }
  /// Is a fault going to happen? The first of those runs counts the calls and has none.
  [[nodiscard]] bool has_fault() const noexcept;

  /// A plain name that nobody uses, in the directory of this world.
  [[nodiscard]] std::string fresh_name();
  /// A private directory for names whose server is that user; made for this world, others may pass through
  /// it.
  const std::string& directory(user owner = user::own);
  /// Another one each time; a closed one lets nobody but its owner through.
  [[nodiscard]] std::string new_directory(user owner = user::own, bool closed = false);
  /// One whose path is longer than any socket's address.
  [[nodiscard]] std::string deep_directory(user owner = user::own);
  /// Makes a regular file in files_directory() and returns its absolute path.
  std::string file(const std::string& name, const std::string& contents, file_options options = {});
  /// The directory of all files of this world, open for everybody.
  [[nodiscard]] const std::string& files_directory();

  [[nodiscard]] std::uint32_t uid(user who) const;
  [[nodiscard]] std::uint32_t gid(user who) const;
  [[nodiscard]] std::uint32_t shared_group() const;

  /// A process of that user, for parties. (On the real twin a process is a tp::process of its own inside the
  /// test program, and its threads have that user's credentials.)
  host& process(user who = user::own);
  /// A party: a thread of the process, with a runtime of its own. It starts with run(), in the order of these
  /// calls.
  void party(host& process, std::string label, body what);
  /// The same on a new process of the own user.
  void party(std::string label, body what) { party(process(), std::move(label), std::move(what)); }
  /// A server with one connection and its client, two processes: `server` and `client` run once they are
  /// connected. Each gets the connection, which is destroyed when its body ends.
  void pair(pair_options options, half server, half client);

  /// Runs all parties to their ends; once. Throws unwound if one of them failed.
  void run();

  /// Is it time to end: has a party failed, or did the run take too long?
  [[nodiscard]] std::stop_token stop() const noexcept { return stop_.get_token(); }
  /// Notes a failure and asks all parties to end.
  void note_failure(const std::source_location& where, const std::string& text);
  [[noreturn]] void fail(const std::source_location& where, const std::string& text);
  /// What was noted, one line each.
  [[nodiscard]] std::vector<std::string> failures() const;

  // For the twin.

  /// Notes that the parties don't end, with what each is doing, and asks them to.
  void give_up(const std::string& why);
  [[nodiscard]] bool given_up() const;
  [[nodiscard]] bool all_ended() const;

 private:
  friend class flag;
  friend class conformance::party;
  friend class host;

  twin& twin_;
  test::ledger& ledger_;
  std::unique_ptr<backend::mutex> lock_;  ///< for failures_ and the flags
  std::stop_source stop_;
  std::vector<std::string> failures_;  ///< guarded
  std::vector<flag*> flags_;           ///< guarded
  std::deque<std::unique_ptr<host>> hosts_;
  std::deque<std::unique_ptr<conformance::party>> parties_;
  std::string directories_[3], files_directory_;
  int names_ = 0;
  int resuming_ = 0;       ///< guarded: calls that are just posting to runtimes, which must stay for that
  bool given_up_ = false;  ///< guarded
  const bool under_faults_;
};

/// Set by one party, awaited by others by p.wait(flag). It stays set.
class flag {
 public:
  explicit flag(world& in);
  ~flag();
  flag(const flag&) = delete;
  flag& operator=(const flag&) = delete;

  void set();
  /// For threads, which look again and again.
  [[nodiscard]] bool is_set() const;

  /// What p.wait() returns.
  class awaiter {
   public:
    awaiter(flag& what, party& who) noexcept : flag_(what), party_(who) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiter);
    void await_resume() const;

   private:
    flag& flag_;
    party& party_;
  };

 private:
  friend class world;
  struct waiting {
    runtime* where;
    std::coroutine_handle<> who;
  };
  void release();

  world& world_;
  bool set_ = false;  ///< guarded by the world, as is waiting_
  std::vector<waiting> waiting_;
};

}  // namespace tp::conformance

/// EXPECT(p, condition) in a party, EXPECT(w, condition) after w.run().
#define EXPECT(where, ...)                                                                        \
  do {                                                                                            \
    if (!(__VA_ARGS__)) (where).fail(std::source_location::current(), "expected: " #__VA_ARGS__); \
  } while (false)
