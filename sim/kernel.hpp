// What a world's kernel keeps, and the makers of a process's parts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loop.hpp"
#include "twinpipe/backend/process.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::sim {

class listener;

struct node {
  std::uint32_t owner = 0, group = 0, mode = 0755;
  bool is_directory = true;
  std::string contents = {};
};

/// What others hold of a process after its end.
struct life final : process_handle {
  [[nodiscard]] bool exited() const noexcept override { return over; }
  bool over = false;
};

/// A process as its kernel knows it.
struct process_record {
  std::shared_ptr<sim::world::state> world;
  std::string name;  ///< with its pid, for messages
  identity self;
  // The seam has these per thread. A process of this twin has one: start_thread is not_supported.
  identity effective;  ///< differs from self between enter and revert
  bool impersonating = false;
  std::shared_ptr<sim::life> life = std::make_shared<sim::life>();
  [[nodiscard]] bool dead() const noexcept { return life->over; }
  std::vector<handle*> handles = {};  ///< in the order of their opening
};

/// The client's and the server's end of a new connection. The server's ends with server_gone if nobody
/// accepts it.
[[nodiscard]] std::pair<backend::detached_ptr, backend::detached_ptr> make_connection(
    const process_ref& client, const process_ref& host, const identity& listening);
/// invalid_argument for a stream that is not of this twin, likewise for a name.
[[nodiscard]] result<backend::stream_ptr> adopt(backend::detached_ptr stream, backend::attachment how,
                                                const handle& system);
[[nodiscard]] result<backend::acceptor_ptr> listen(const process_ref& process,
                                                   const std::shared_ptr<backend::bound_name>& name,
                                                   const handle& system);
[[nodiscard]] result<std::shared_ptr<backend::bound_name>> bind(const process_ref& process,
                                                                const backend::bind_request& request);
[[nodiscard]] backend::status connect(const process_ref& process, backend::connect_op& o);
/// Could somebody who is neither the client nor root have put this socket where it is? A service's own
/// directory is as good as the one that root made it in.
[[nodiscard]] bool is_planted(const process_record& client, const std::string& place, std::uint32_t owner);
[[nodiscard]] std::unique_ptr<backend::system> make_system(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::files> make_files(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::impersonator> make_impersonator(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::threads> make_threads(const process_ref& process);
[[nodiscard]] std::unique_ptr<backend::process> make_process(process_ref record);
void kill(backend::process& victim);

}  // namespace tp::sim

struct tp::sim::world::state {
  loop time;
  std::map<std::string, listener*> names;
  std::map<std::string, node> files{{"", {}},
                                    {"/tmp", {.mode = 01777}}};   ///< by absolute path, the root's empty
  std::map<std::uint32_t, std::vector<std::uint32_t>> groups_of;  ///< supplementary, by uid
  std::vector<std::string> trace;
  std::uint32_t next_uid = 1000, next_pid = 1000;
  std::uint64_t random = 0x7477696e70697065;
};
