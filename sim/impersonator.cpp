// Whose rights a simulated thread acts with: Linux's rules for changing the effective user of a thread
// (credentials(7)).
#include <algorithm>

#include "fatal.hpp"
#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/detail/frame_memory.hpp"

namespace tp::sim {
namespace {

class impersonator final : public backend::impersonator, public tp::detail::recycled {
 public:
  explicit impersonator(process_ref process) : process_(std::move(process)) {}
  result<void> check(const identity& peer) const override {
    const identity& self = process_->self;
    if (process_->dead()) return fail(errc::process_killed, operation::run_as_client);
    const auto denied = [](const char* why) {
      return fail(errc::impersonation_denied, operation::run_as_client, 0, make_text(why));
    };
    if (!peer.uid.may_authorise() || !peer.gid.may_authorise() || !peer.groups.may_authorise())
      return denied("the peer's identity is unknown");
    if (self.is_superuser()) return {};
    if (!self.same_user(peer)) return denied("acting as another user needs root's privileges");
    // Without privilege no group can be given up: the client would act with more than it has.
    const auto has = [&peer](std::uint32_t group) { return peer.in_group(group); };
    if (has(self.gid.value) && std::ranges::all_of(self.groups.value, has)) return {};
    return denied("this process has groups that the client has not");
  }
  result<void> enter(const identity& peer) override {
    process_->world->time.check_caller("run_as_client");
    process_->world->time.point();
    if (active() && !process_->dead()) return fail(errc::operation_in_progress, operation::run_as_client);
    if (auto possible = check(peer); !possible) return possible;
    auto acting = std::make_unique<identity>(process_->self);
    acting->uid = peer.uid;
    acting->gid = peer.gid;
    acting->groups = peer.groups;
    process_->acts_as() = std::move(acting);
    process_->world->time.note(happening::entered, 0, peer.uid.value);
    return {};
  }
  void revert() noexcept override {
    if (!process_->dead()) process_->world->time.point();
    if (!active() && !process_->dead()) detail::fatal("impersonation cannot be undone: there is none");
    process_->acts_as() = nullptr;
    process_->world->time.note(happening::reverted);
  }
  bool active() const noexcept override { return process_->acts_as() != nullptr; }

 private:
  process_ref process_;
};
static_assert(backend::implements<impersonator, backend::impersonator>);

}  // namespace

std::unique_ptr<backend::impersonator> make_impersonator(const process_ref& process) {
  return std::make_unique<impersonator>(process);
}

}  // namespace tp::sim
