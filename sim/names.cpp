// Names and the listening sockets behind them: where a name is looked up, who may connect, and who accepts.
#include <algorithm>
#include <cassert>

#include "core/unenforced.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::sim {

using namespace backend;
using enum access_policy::audience;

namespace {

/// May a client write to a socket of that owner's, by the mode that the policy has given it (unix(7))?
bool may_write(const identity& client, const access_policy& access, const identity& owner) noexcept {
  const bool anybody = access.who() == users || access.who() == everyone_local;
  const bool by_group = access.who() == group && client.in_group(access.ids().front());
  return anybody || by_group || client.is_superuser() || client.same_user(owner);
}

}  // namespace

/// Who waits in a backlog; its socket's user. The handle is made by the accept.
struct queued_client {
  std::shared_ptr<const identity> who;
  std::uint32_t number;  ///< of the server's end
};

/// What is said of a name that somebody has. `other`: who asks.
error in_use_by(const process_ref& server, const std::string& location, const process_ref& other) {
  const error who(errc::name_in_use, operation::bind, 0,
                  make_text("'" + location + "' is held by " + server->name));
  return other == server ? who.in(circumstance::own_process) : who;
}

/// As a name is written of which place_of() says where it is.
std::string location_of(const std::string& place) {
  return place.starts_with('@') ? "unix-abstract:" + place.substr(1) : place;
}

/// A bound name. While it is open it stands in the world's table.
class listener final : public bound_name, public handle {
 public:
  listener(const process_ref& process, const bind_request& request, const std::string& place)
      : handle(process), place_(place), request_(request) {
    socket_.user = static_cast<handle*>(this);
    // listen(2): no more than net.core.somaxconn, which a negative number is.
    constexpr std::uint32_t most_queued = 4096;
    [[maybe_unused]] const auto listens =
        socket_.listen(std::min(static_cast<std::uint32_t>(request_.backlog), most_queued));
    assert(listens == std::errc{});
    process_->on.names.emplace(place_, this);
    if (place_.starts_with('@')) {
      kept_ = std::make_shared<const abstract_socket>(process_);
      process_->on.abstract_sockets.insert_or_assign(place_, kept_);
    }
    process_->world->places.add(number(), place_);
    time().note(happening::bound, number());
  }
  ~listener() override { close_now(); }
  [[nodiscard]] unix_socket* socket() noexcept override { return open() ? &socket_ : nullptr; }
  [[nodiscard]] const std::string& location() const noexcept override { return location_; }
  [[nodiscard]] const std::string& unenforced() const noexcept override { return unenforced_; }
  void withdraw() noexcept override { close_now(); }

  [[nodiscard]] std::string describe() const override { return "the name '" + location_ + "'"; }
  /// "server, pid 1000, has it: 3 wait in its backlog of 16, 2 of at most 4 are in use, 1 listener".
  [[nodiscard]] std::string describe_server() const {
    constexpr std::size_t unlimited = SIZE_MAX;
    const std::string bound = instances_.most == unlimited ? "" : join(" of at most ", instances_.most);
    return join(process_->name, ", has it: ", socket_.queued(), " wait in its backlog of ", request_.backlog,
                ", ", instances_.now, bound, " are in use, ", acceptors.size(), " to listen");
  }
  [[nodiscard]] std::uint32_t owner() const noexcept { return self_->uid.value; }
  [[nodiscard]] error in_use_for(const process_ref& other) const {
    return in_use_by(process_, location_, other);
  }
  /// May it connect, as far as the socket's mode says?
  [[nodiscard]] errc answer(const identity& client) const noexcept {
    const bool has_mode = request_.name.kind() != name_kind::unix_abstract;
    if (has_mode && !may_write(client, request_.access, *self_)) return errc::access_denied;
    return errc::none;
  }
  /// What connect(2) answers, and the client's end.
  [[nodiscard]] errc admit(const process_ref& client, detached_ptr& made);
  /// The next of the backlog; none: the acceptors are woken when there is one.
  [[nodiscard]] std::optional<socket_end> take();
  void changed(std::uint8_t) noexcept override {
    socket_.watch(0);
    for (handle* const acceptor : acceptors) acceptor->wake(kinds_of(kind::accept));
  }

  /// What keeps an abstract name from being bound again.
  [[nodiscard]] const std::shared_ptr<const abstract_socket>& kept() const noexcept { return kept_; }

  std::vector<handle*> acceptors;

 private:
  void let_go() noexcept override;
  [[nodiscard]] unix_sockets& sockets() const noexcept { return process_->world->sockets; }

  const std::string place_;  ///< an abstract one's begins with @
  const std::shared_ptr<const identity> self_ = process_->seen_by_others();  ///< as it was at listen(2)
  const bind_request request_;
  unix_socket& socket_ = sockets().open();
  const std::string location_ = location_of(place_);
  instances_in_use& instances_ =
      process_->world->instances.emplace_back(instances_in_use{number(), request_.max_instances});
  const std::string unenforced_ = core::unenforced_by_sockets(request_);
  std::shared_ptr<const abstract_socket> kept_;
};
static_assert(backend::implements<listener, backend::bound_name>);

errc listener::admit(const process_ref& client, detached_ptr& made) {
  unix_socket& own = sockets().open();
  const auto other = own.connect(socket_);
  if (!other) {
    own.close();
    return other.error() == std::errc::connection_refused ? errc::not_found : errc::busy;
  }
  std::uint32_t& last = process_->world->handles;
  const std::uint32_t near = ++last, far = ++last;
  (*other)->user = std::make_unique<queued_client>(client->seen_by_others(), far).release();
  time().remark(happening::called, number());
  time().note(happening::connected, near, far);
  made = make_stream(client, {&own, self_, near});
  tell_changes(sockets());
  return errc::none;
}

std::optional<socket_end> listener::take() {
  const auto taken = socket_.accept();
  if (!taken) {
    socket_.watch(wake::readable);
    return std::nullopt;
  }
  const std::unique_ptr<queued_client> client(
      static_cast<queued_client*>(std::exchange((*taken)->user, nullptr)));
  return socket_end{*taken, std::move(client->who), client->number, false, false, &instances_};
}

// A withdrawal accepts and closes who waits, so only those that wrote are reset. The kernel, when the
// listener goes with its process, resets all.
void listener::let_go() noexcept {
  process_->on.names.erase(place_);
  kept_ = nullptr;
  if (process_->dead() && !place_.starts_with('@'))
    process_->on.left_sockets.insert_or_assign(place_, left_socket{request_.access, *self_});
  if (process_->dead()) {
    for (unix_socket* each = socket_.first_queued(); each != nullptr; each = socket_.queued_after(*each)) {
      const std::unique_ptr<queued_client> client(static_cast<queued_client*>(each->user));
      check_account(*process_->world, *each, client->number, true);
    }
  } else {
    while (const auto left = take()) {
      check_account(*process_->world, *left->socket, left->number, true);
      left->socket->close();
    }
  }
  socket_.close();
  tell_changes(sockets());
  for (handle* const acceptor : std::exchange(acceptors, {})) acceptor->end(ended());
}

std::string describe_name(const listener& name) {
  return name.describe_server();
}

namespace {

/// Where a name may be found: so many places, the user's own first; none for a name of another machine.
std::size_t count_places(const endpoint_name& name, const identity& who, std::string_view within) {
  const name_kind kind = name.kind();
  if (kind == name_kind::remote_pipe || kind == name_kind::ssh) return 0;
  return kind == name_kind::plain && within.empty() && !who.is_superuser() ? 2 : 1;
}

/// One of them. `number` below count_places().
std::string place_of(const endpoint_name& name, const identity& who, std::string_view within,
                     std::size_t number) {
  const name_kind kind = name.kind();
  if (kind == name_kind::unix_path) return name.leaf();
  if (kind == name_kind::unix_abstract) return join('@', name.leaf());
  if (kind == name_kind::dotnet)
    return name.leaf().starts_with('/') ? name.leaf() : join("/tmp/CoreFxPipe_", name.leaf());
  if (!within.empty()) return join(within, '/', name.leaf());
  const bool own = number == 0 && count_places(name, who, within) == 2;
  return own ? join("/run/user/", who.uid.value, "/twinpipe/", name.leaf())
             : join("/run/twinpipe/", name.leaf());
}

class acceptor final : public backend::acceptor, public handle {
 public:
  acceptor(const process_ref& process, listener& from, handle& system)
      : handle(process), from_(from), kept_(from.kept()) {
    belong_to(system);
    from_.acceptors.push_back(this);
  }
  start accept(accept_op& o) override { return submit(o, kind::accept); }
  void cancel(op& o) noexcept override { request_cancel(o); }
  void close() noexcept override {
    close_now();
    kept_ = nullptr;
  }
  void release() noexcept override {
    kept_ = nullptr;
    free();
  }
  [[nodiscard]] std::string describe() const override { return "an acceptor of " + from_.describe(); }

 private:
  attempt_result attempt(op& o, kind) noexcept override {
    auto client = from_.take();
    if (!client) return {};
    time().note(happening::accepted, from_.number(), client->number);
    static_cast<accept_op&>(o).stream = make_stream(process_, std::move(*client));
    return errc::none;
  }
  void let_go() noexcept override {
    std::erase(from_.acceptors, this);
    if (process_->dead()) kept_ = nullptr;
  }
  listener& from_;                               ///< ends this before it goes itself
  std::shared_ptr<const abstract_socket> kept_;  ///< until its thread has heard of the end
};
static_assert(backend::implements_released<acceptor, backend::acceptor>);

std::shared_ptr<const abstract_socket> abstract_socket_at(const std::string& place,
                                                          const process_record& asks) {
  const auto known = asks.on.abstract_sockets.find(place);
  return known != asks.on.abstract_sockets.end() ? known->second.lock() : nullptr;
}

}  // namespace

result<std::shared_ptr<bound_name>> bind(const process_ref& process, const bind_request& request) {
  process->world->time.check_caller("bind");
  process->world->time.point();
  if (process->dead()) return fail(errc::process_killed, operation::bind);
  if (const errc wrong = process->fault_at(act::bind).fails; wrong != errc::none)
    return fail(wrong, operation::bind);
  const std::size_t found = count_places(request.name, process->effective(), request.runtime_directory);
  if (found == 0) return fail(errc::not_supported, operation::bind, 0, make_text(request.name.text()));
  const std::string place = place_of(request.name, process->effective(), request.runtime_directory,
                                     request.scope == name_scope::system ? found - 1 : 0);
  if (place.starts_with("/run/twinpipe/") && !process->effective().is_superuser())
    return fail(errc::access_denied, operation::bind, 0, make_text(place));
  // The user's own directory is 0700: nobody else gets as far as the socket.
  const auto folder = process->on.files.find(place.substr(0, place.rfind('/')));
  const bool open =
      folder != process->on.files.end() ? (folder->second.mode & 1) != 0 : !place.starts_with("/run/user/");
  if (!open && request.access.who() != same_user)
    return fail(errc::unreachable_policy, operation::bind, 0, make_text(place));
  if (const auto taken = process->on.names.find(place); taken != process->on.names.end())
    return fail(taken->second->in_use_for(process));
  if (const auto kept = abstract_socket_at(place, *process))
    return fail(in_use_by(kept->server, location_of(place), process));
  // Who isn't root gives a file only to a group of its own (chown(2)).
  const identity& self = process->effective();
  const bool has_file = request.name.kind() != name_kind::unix_abstract;
  if (has_file && request.access.who() == group && !self.is_superuser() &&
      !self.in_group(request.access.ids().front()))
    return fail(errc::access_denied, operation::bind, 0, make_text(place));
  process->on.left_sockets.erase(place);
  return std::make_shared<listener>(process, request, place);
}

result<acceptor_ptr> listen(const process_ref& process, const std::shared_ptr<bound_name>& name,
                            handle& system) {
  if (system.ended() != errc::none) return fail(system.ended());
  auto* const ours = dynamic_cast<listener*>(name.get());
  if (!ours || ours->ended() != errc::none) return fail(ours ? errc::closed : errc::invalid_argument);
  return acceptor_ptr(new acceptor(process, *ours, system));
}

namespace {

/// What a connect finds at a place.
struct found_socket {
  bool exists = false;
  listener* listens = nullptr;
  std::uint32_t owner = 0;
  errc answer = errc::not_found;
};

// A server that died has left its socket: who may not write to it is told no more than that (connect(2)).
found_socket look_for(const std::string& place, process_record& client) {
  const identity& who = client.effective();
  if (const auto at = client.on.names.find(place); at != client.on.names.end())
    return {true, at->second, at->second->owner(), at->second->answer(who)};
  const auto left = client.on.left_sockets.find(place);
  if (left == client.on.left_sockets.end()) return {};
  const auto& [access, owner] = left->second;
  return {true, nullptr, owner.uid.value,
          may_write(who, access, owner) ? errc::not_found : errc::access_denied};
}

}  // namespace

errc connect(const process_ref& process, connect_op& o) {
  errc answer = errc::not_supported;
  std::string tried;
  const std::size_t count = count_places(*o.name, process->effective(), o.runtime_directory);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string place = place_of(*o.name, process->effective(), o.runtime_directory, i);
    const found_socket found = look_for(place, *process);
    answer = found.answer;
    if (found.exists && o.expected != server_trust::anyone && is_planted(*process, place, found.owner))
      answer = errc::untrusted_location, o.about = circumstance::others_socket;
    if (answer == errc::none) answer = found.listens->admit(process, o.stream);
    if (answer == errc::none) return answer;
    tried.append("; ").append(place).append(": ").append(to_string(answer));
    if (answer != errc::not_found) break;
  }
  o.detail = make_text(o.name->text() + tried);
  return answer;
}

}  // namespace tp::sim
