// Who may connect: what the kernel's word decides, and the application's callback.
#include <algorithm>
#include <utility>

#include "twinpipe/options.hpp"

namespace tp {

access_policy access_policy::group(std::uint32_t gid) {
  access_policy policy;
  policy.audience_ = audience::group;
  policy.ids_ = {gid};
  return policy;
}

access_policy access_policy::users(std::vector<std::uint32_t> uids) {
  access_policy policy;
  policy.audience_ = audience::users;
  policy.ids_ = std::move(uids);
  return policy;
}

access_policy access_policy::everyone_local() {
  access_policy policy;
  policy.audience_ = audience::everyone_local;
  return policy;
}

access_policy& access_policy::authorize(std::function<admission(const client_request&)> callback) & {
  callback_ = std::move(callback);
  return *this;
}

access_policy&& access_policy::authorize(std::function<admission(const client_request&)> callback) && {
  return std::move(authorize(std::move(callback)));
}

bool access_policy::admits(const identity& peer, const identity& self) const noexcept {
  // Every audience is of this machine; a claimed host is enough to stay out.
  if (peer.host.known()) return false;
  // The kernel lets the owner of the socket and root in whatever its mode; so does every policy.
  if (peer.same_user(self) || peer.is_superuser()) return true;
  switch (audience_) {
    case audience::same_user:
      return false;
    case audience::group:
      return std::ranges::any_of(ids_, [&](std::uint32_t id) { return peer.in_group(id); });
    case audience::users:
      return peer.uid.may_authorise() && std::ranges::find(ids_, peer.uid.value) != ids_.end();
    case audience::everyone_local:
      return true;
  }
  return false;
}

admission access_policy::ask(const client_request& request) const {
  return callback_ ? callback_(request) : admission::grant();
}

}  // namespace tp
