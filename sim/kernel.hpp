// What a world's kernel keeps, and the makers of a process's parts.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guard.hpp"
#include "handle.hpp"
#include "machine.hpp"
#include "published.hpp"
#include "random.hpp"
#include "step_watch.hpp"
#include "twinpipe/backend/process.hpp"
#include "twinpipe/sim/fault.hpp"
#include "twinpipe/sim/world.hpp"
#include "unix_socket.hpp"

namespace tp::sim {

/// Runs in a process of its own.
class resident_program final : public hosted {
 public:
  resident_program(std::shared_ptr<sim::world::state> world, machine& on, std::string name, user_id user,
                   program main, program_options options);
  ~resident_program() override;
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] std::optional<int> result() const noexcept override { return result_; }
  void kill() override;
  void restart() override;
  void pause() override;
  void resume() override;
  [[nodiscard]] const machine& host() const noexcept { return on_; }
  [[nodiscard]] bool background() const noexcept { return options_.background; }
  [[nodiscard]] bool running() const noexcept { return runs_; }
  [[nodiscard]] backend::process& twin() const noexcept { return *twin_; }
  [[nodiscard]] bool runs_in(const process_record& process) const;

 private:
  void check_alive() const;
  void start();
  void run();
  void leave_foreground();

  const std::shared_ptr<sim::world::state> world_;
  machine& on_;
  const std::string name_;
  const user_id user_;
  const program main_;
  const program_options options_;
  std::unique_ptr<backend::process> twin_;
  std::unique_ptr<backend::thread> thread_;
  std::optional<int> result_;
  bool runs_ = false;
  bool began_ = false;  ///< its thread has come to its first step
};

/// What others hold of a process after its end.
struct life final : process_handle {
  explicit life(const std::shared_ptr<sim::world::state>& in) noexcept : world(in) {}
  /// A point: whoever asks again and again lets others go on.
  [[nodiscard]] bool exited() const noexcept override;
  const std::weak_ptr<sim::world::state> world;
  bool gone = false;  ///< all that it had is closed
};

/// A process as its kernel knows it.
struct process_record {
  std::shared_ptr<sim::world::state> world;
  machine& on;
  const std::string& name;     ///< with its pid, for messages
  const std::uint32_t number;  ///< of that name among all of the world
  const std::string& user;     ///< whose process it is
  bool background = false;     ///< see program_options
  identity self;
  std::unique_ptr<identity> outside_acts_as = {};  ///< of calls that come from outside
  std::shared_ptr<sim::life> life = std::make_shared<sim::life>(world);
  bool over = false;  ///< it does nothing any more
  [[nodiscard]] bool dead() const noexcept { return over; }
  bool paused = false;
  backend::process* object = nullptr;
  std::array<std::uint64_t, 8> acts = {};  ///< by kind: how many so far
  /// What the world's rules want to become of an act that begins.
  [[nodiscard]] fault fault_at(act what);
  [[nodiscard]] std::string_view short_name() const noexcept {
    return std::string_view(name).substr(0, name.rfind(", pid "));
  }
  handle_table handles = {};
  /// The name of a new thread, told from those of the threads before: "worker", "worker 2".
  [[nodiscard]] std::string distinct(const std::string& wanted);
  struct used_name {
    std::string used;
    unsigned times = 1;
  };
  std::vector<used_name> thread_names = {};  ///< the first few of its threads
  int tasks = 0;                             ///< coroutines that were made by its threads and have not ended

  /// Whose rights the calling thread has between enter and revert; null otherwise.
  [[nodiscard]] std::unique_ptr<identity>& acts_as() noexcept;
  /// What the other end of a new connection sees of the calling thread.
  [[nodiscard]] std::shared_ptr<const identity> seen_by_others();
  std::shared_ptr<const identity> own_face = {};  ///< that of threads that act as nobody else, once asked for
  [[nodiscard]] const identity& effective() noexcept { return acts_as() ? *acts_as() : self; }
};

/// The connections of one name that its server has taken into use: counted here, whatever the server counts.
struct instances_in_use {
  std::uint32_t name;  ///< its handle's number
  std::size_t most;
  std::size_t now = 0;
};

/// One end of a connection, which is some handle's.
struct socket_end {
  unix_socket* socket;
  std::shared_ptr<const identity> peer;
  std::uint32_t number;                   ///< the end's, whoever has it
  bool reset_told = false;                ///< to a reader
  bool in_use = false;                    ///< one of its name's instances
  instances_in_use* instances = nullptr;  ///< of the name at which it was accepted
};
[[nodiscard]] backend::detached_ptr make_stream(const process_ref& process, socket_end end);
/// Those whose sockets a call has changed learn it.
void tell_changes(unix_sockets& all) noexcept;
/// The run fails if bytes that this end was sent are neither delivered nor unread. `closes`: what is unread
/// is thrown away, of which its writer has to be told.
void check_account(sim::world::state& world, const unix_socket& at, std::uint32_t number, bool closes);
void report_loss(sim::world::state& world, const unix_socket& at, std::uint32_t number, bool closes);
/// invalid_argument for a stream that is not of this twin, likewise for a name.
[[nodiscard]] result<backend::stream_ptr> adopt(backend::detached_ptr stream, backend::attachment how,
                                                handle& system);
[[nodiscard]] result<backend::blocking_stream_ptr> adopt_blocking(const process_ref& process,
                                                                  backend::detached_ptr stream);
[[nodiscard]] result<backend::acceptor_ptr> listen(const process_ref& process,
                                                   const std::shared_ptr<backend::bound_name>& name,
                                                   handle& system);
[[nodiscard]] result<std::shared_ptr<backend::bound_name>> bind(const process_ref& process,
                                                                const backend::bind_request& request);
[[nodiscard]] errc connect(const process_ref& process, backend::connect_op& o);
/// Could somebody who is neither the client nor root have put this socket where it is? A service's own
/// directory is as good as the one that root made it in.
[[nodiscard]] bool is_planted(process_record& client, const std::string& place, std::uint32_t owner);
[[nodiscard]] std::unique_ptr<backend::system> make_system(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::files> make_files(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::impersonator> make_impersonator(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::threads> make_threads(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::interrupt> make_interrupt(const process_ref& process);
[[nodiscard]] raised_flag& flag_of(backend::interrupt& which) noexcept;
[[nodiscard]] std::unique_ptr<backend::process> make_process(process_ref record);
void kill(backend::process& victim);
/// For reports: whose it is, and who waits there.
[[nodiscard]] std::string describe_name(const listener& name);
[[nodiscard]] process_record& record_of(backend::process& which);
/// What a process that ends has not closed; empty: nothing.
[[nodiscard]] std::string left_open(backend::process& ended);
/// The run has failed; the first reason counts. The calling thread doesn't go on.
void fail_run(sim::world::state& world, std::string why);
/// For who is outside, and waits for what can never come: ends the program with a report of who waits for
/// what. `call`: "to read at connection 4".
[[noreturn]] void refuse_endless(const sim::world::state& world, std::string_view call);

}  // namespace tp::sim

struct tp::sim::world::state : std::enable_shared_from_this<state> {
  explicit state(std::size_t kept_events);
  ~state();

  scheduler time;
  ready_list outside_ready;  ///< of all systems that were made outside
  unix_sockets sockets{*std::pmr::new_delete_resource()};
  bool short_io = false;
  duration patience = std::chrono::seconds(10);
  std::unique_ptr<guard> own_guard = {};  ///< from its first run on, unless who runs it has one
  bool guarded = false;                   ///< by who runs it
  machine local{*this, ""};
  std::vector<std::unique_ptr<machine>> others;
  // For whoever reads the trace, also beside a world that goes on.
  struct known_thread {
    std::string label;  ///< "server/worker (alice)"
    const machine* host;
  };
  published<known_thread> known_threads;  ///< the first has number 1
  struct known_place {
    std::uint32_t number;  ///< of the handle
    std::string where;
  };
  published<known_place> places;  ///< where names were bound
  published<std::string> logged, remarks;
  published<std::string> known_processes;  ///< their names with their pids
  [[nodiscard]] std::string label(std::uint32_t thread) const;
  /// Where that thread runs: its users have their names there.
  [[nodiscard]] const machine& host_of(std::uint32_t thread) const {
    return thread == 0 || thread > known_threads.size() ? local : *known_threads[thread - 1].host;
  }
  [[nodiscard]] std::string place_of(std::uint32_t number) const;
  /// A line of the trace.
  void remark(std::string line) {
    remarks.add(std::move(line));
    time.remark(happening::remarked, static_cast<std::uint32_t>(remarks.size() - 1));
  }

  std::deque<instances_in_use> instances;  ///< of all names there ever were
  std::vector<fault_rule> fault_rules;
  [[nodiscard]] bool has_fault_rules() const noexcept { return !fault_rules.empty(); }
  std::map<std::pair<std::uint32_t, kind>, held_act> held_acts;  ///< by the number of the handle
  std::vector<std::string> trace;  ///< of what was logged, as much as was asked for
  std::string failure;
  std::vector<std::unique_ptr<resident_program>> programs;
  std::optional<step_watch> late_steps;
  std::size_t foreground = 0;  ///< programs that a run waits for
  std::uint32_t handles = 0;
  /// Of all processes. Which sequence it is, is a choice, at its first use.
  [[nodiscard]] random_numbers& random_bytes();
  std::optional<random_numbers> random;
};

inline tp::sim::scheduler& tp::sim::handle::time() const noexcept {
  return world_.time;
}

inline std::unique_ptr<tp::identity>& tp::sim::process_record::acts_as() noexcept {
  thread& caller = world->time.current();
  return caller.process == this ? caller.acts_as : outside_acts_as;
}
