// Impersonation on Linux: the effective ids, groups and capabilities of one thread.
//
// Only the effective user id changes. The real one stays, so the client can neither signal nor trace the
// server, and the saved one stays, so the way back needs no capability; see credentials(7) and
// capabilities(7).
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "errors_posix.hpp"
#include "impersonator.hpp"
#include "thread_credentials_linux.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

/// What enter() has to do for a peer.
enum class way : std::uint8_t {
  nothing,            ///< the peer is this process's own user, and there is no privilege to be taken
  drop_capabilities,  ///< the same, but there is
  change,
};

struct switch_state {
  bool active = false;
  way did = way::nothing;
  thread_credentials before;
  std::uint32_t user = 0;
};
thread_local switch_state current;

// Going on under credentials that nobody asked for is worse than ending: later requests would run as the
// wrong user.
[[noreturn]] void die(const char* step, int number) noexcept {
  std::array<char, 160> line;
  const int length =
      std::snprintf(line.data(), line.size(),
                    "twinpipe: impersonation cannot be undone (%s, errno %d); aborting\n", step, number);
  [[maybe_unused]] const ssize_t ignored =
      ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(std::clamp(length, 0, 159)));
  std::abort();
}

void must(const char* step, int number) noexcept {
  if (number != 0) die(step, number);
}

void must_hold(const char* step, bool holds) noexcept {
  if (!holds) die(step, 0);
}

std::unexpected<error> denied(std::string why, int number = 0) {
  return fail_with(errc::impersonation_denied, operation::run_as_client, number, std::move(why));
}

// Without a switch the callable would act with the server's groups: that's right only if the client has them
// all.
bool has_more_groups(const thread_credentials& self, const identity& peer) {
  return !peer.in_group(self.groups.effective) ||
         !std::ranges::all_of(self.supplementary, [&](std::uint32_t id) { return peer.in_group(id); });
}

bool setgroups_is_denied() {
  std::string word;
  std::ifstream("/proc/self/setgroups") >> word;  // user_namespaces(7)
  return word == "deny";
}

std::string missing_capabilities(const capability_sets& own) {
  const bool uid = own.effective(CAP_SETUID), gid = own.effective(CAP_SETGID);
  if (uid && gid) return {};
  if (uid) return "it lacks CAP_SETGID";
  return gid ? "it lacks CAP_SETUID" : "it has neither";
}

bool some_is_root(const id_triple& ids) noexcept {
  return ids.real == 0 || ids.effective == 0 || ids.saved == 0;
}

// capabilities(7): when of the three user ids some were 0 and none is any more, the kernel clears the
// permitted set too; after that there is no way back. Empty, or why this switch would end there.
std::string no_way_back(const id_triple& own, std::uint32_t peer) {
  if (own.effective != own.real && own.effective != own.saved)
    return "this process's effective user is neither its real nor its saved one, so nothing would lead back "
           "to it";
  const id_triple inside{own.real, peer, own.saved};
  if (some_is_root(inside) == some_is_root(own)) return {};
  return "with the switch, or on the way back, the last of this process's user ids that is 0 would go, and "
         "with "
         "it its capabilities";
}

// Empty, or why this thread can't take all that is the peer's.
std::string obstacle(const identity& peer, const thread_credentials& self, bool setgroups_denied) {
  const std::string target = "impersonating uid " + std::to_string(peer.uid.value);
  if (const std::string missing = missing_capabilities(self.capabilities); !missing.empty())
    return target + " needs CAP_SETUID and CAP_SETGID; of these " + missing;
  if (setgroups_denied) return "setgroups is denied in this user namespace";
  if (const std::string reason = no_way_back(self.users, peer.uid.value); !reason.empty())
    return target + " could not be undone: " + reason;
  return {};
}

// What enter() would have to do for this peer, or why it can't. A client that is root keeps the server's
// capabilities: its own can't be known.
result<way> plan(const identity& peer, const thread_credentials& self, bool setgroups_denied) {
  if (!peer.uid.may_authorise() || !peer.gid.may_authorise() || !peer.groups.may_authorise())
    return denied(
        "the peer's identity is unknown here: it comes from a user namespace that this one does not map");
  std::string why = obstacle(peer, self, setgroups_denied);
  if (why.empty()) return way::change;
  if (peer.uid.value != self.users.effective) return denied(std::move(why));
  if (has_more_groups(self, peer))
    return denied("uid " + std::to_string(peer.uid.value) +
                  " is this process's own, but the process is in groups that the client is not in");
  return peer.uid.value != 0 && self.capabilities.any_effective() ? way::drop_capabilities : way::nothing;
}

// capset(2): a thread may always lower its effective set, and raise it again to what is permitted.
int drop_capabilities(const thread_credentials& before) noexcept {
  capability_sets none = before.capabilities;
  none.clear_effective();
  return set_capabilities(none);
}

// Undoes what has been done of enter(), the last first.
void roll_back(const thread_credentials& before, int steps) noexcept {
  if (steps >= 3) must("user", set_effective_user(before.users.effective));
  if (steps >= 3) must("capabilities", set_capabilities(before.capabilities));
  if (steps >= 2) must("group", set_effective_group(before.groups.effective));
  if (steps >= 1) must("groups", set_supplementary_groups(before.supplementary));
}

std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> list) {
  std::ranges::sort(list);
  return list;
}

// Whether the thread is now what was asked for, in everything that decides about access.
bool is_switched_to(const identity& peer, const thread_credentials& before) {
  const id_triple users{before.users.real, peer.uid.value, before.users.saved};
  const id_triple groups{before.groups.real, peer.gid.value, before.groups.saved};
  if (user_ids() != users || group_ids() != groups) return false;
  const auto now = supplementary_groups();
  if (!now || sorted(*now) != sorted(peer.groups.value)) return false;
  const auto capabilities = read_capabilities();
  return capabilities && (peer.uid.value == 0 || !capabilities->any_effective());
}

// The user last: with it go the capabilities that the steps before it need.
struct failed_step {
  const char* name;
  int done;
  int number;
};
std::optional<failed_step> switch_to(const identity& peer, const thread_credentials& before) {
  if (const int number = set_supplementary_groups(peer.groups.value); number != 0)
    return failed_step{"setgroups", 0, number};
  if (const int number = set_effective_group(peer.gid.value); number != 0)
    return failed_step{"setresgid", 1, number};
  if (const int number = set_effective_user(peer.uid.value); number != 0)
    return failed_step{"setresuid", 2, number};
  if (peer.uid.value != 0) {
    // The kernel drops them when the user ceases to be root, but not between two other users, nor under
    // SECBIT_NO_SETUID_FIXUP. A client that is root keeps the server's: its own can't be known.
    if (const int number = drop_capabilities(before); number != 0) return failed_step{"capset", 3, number};
  }
  if (!is_switched_to(peer, before)) return failed_step{"the check afterwards", 3, 0};
  return {};
}

class linux_impersonator final : public backend::impersonator {
 public:
  result<void> check(const identity& peer) const override {
    const auto self = read_credentials();
    if (!self) return denied("this thread's credentials cannot be read");
    const auto chosen = plan(peer, *self, setgroups_denied_);
    if (!chosen) return fail(chosen);
    return {};
  }

  result<void> enter(const identity& peer) override {
    if (current.active) return fail(errc::operation_in_progress, operation::run_as_client);
    auto self = read_credentials();
    if (!self) return denied("this thread's credentials cannot be read");
    const auto chosen = plan(peer, *self, setgroups_denied_);
    if (!chosen) return fail(chosen);
    if (*chosen == way::change) {
      if (const auto failure = switch_to(peer, *self)) {
        roll_back(*self, failure->done);
        if (failure->number == EINVAL)
          return denied("the client's user or a group of it is not mapped in this user namespace", EINVAL);
        return denied(std::string(failure->name) + " was refused", failure->number);
      }
    }
    if (*chosen == way::drop_capabilities) {
      if (const int number = drop_capabilities(*self); number != 0)
        return denied("capset was refused", number);
    }
    current = {true, *chosen, std::move(*self), peer.uid.value};
    return {};
  }

  // The user first: the saved user id allows it without a capability, and it brings back those that the rest
  // needs.
  void revert() noexcept override {
    must_hold("not impersonating", current.active);
    must_hold("on another thread", thread_id() == current.before.thread);
    current.active = false;
    if (current.did == way::nothing) return;
    const thread_credentials& before = current.before;
    const auto users = user_ids();
    must_hold("somebody changed the user meanwhile", users && users->effective == current.user);
    if (current.did == way::change)
      roll_back(before, 3);
    else
      must("capabilities", set_capabilities(before.capabilities));
    must_hold("the users differ", user_ids() == before.users);
    must_hold("the groups differ", group_ids() == before.groups);
    must_hold("the supplementary groups differ", supplementary_groups() == before.supplementary);
    must_hold("the capabilities differ", read_capabilities() == before.capabilities);
  }

  bool active() const noexcept override { return current.active; }

 private:
  const bool setgroups_denied_ = setgroups_is_denied();
};
static_assert(backend::implements<linux_impersonator, backend::impersonator>);

}  // namespace

std::unique_ptr<backend::impersonator> make_impersonator() {
  return std::make_unique<linux_impersonator>();
}

bool can_switch_users() {
  const auto own = read_capabilities();
  return own && missing_capabilities(*own).empty() && !setgroups_is_denied();
}

}  // namespace tp::platform
