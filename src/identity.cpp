// Questions to an identity. Only facts that the kernel vouches for count.
#include "twinpipe/identity.hpp"

#include <algorithm>

#include "twinpipe/escape.hpp"

namespace tp {
namespace {

// The well-known SID of the local system account.
constexpr const char* local_system = "S-1-5-18";

template <class T>
bool both_authorise(const fact<T>& a, const fact<T>& b) noexcept {
  return a.may_authorise() && b.may_authorise();
}

}  // namespace

std::string identity::to_string() const {
  std::string out;
  if (uid.known()) out = "uid " + std::to_string(uid.value);
  if (sid.known()) out.append(out.empty() ? "" : ", ").append("sid ").append(escape(sid.value));
  if (out.empty()) out = "unknown user";
  if (gid.known()) out += ", gid " + std::to_string(gid.value);
  if (pid.known()) out += ", pid " + std::to_string(pid.value);
  if (host.known()) out += ", host " + escape(host.value);
  return out;
}

bool identity::same_user(const identity& other) const noexcept {
  // Numbers of two machines have nothing to do with each other.
  if (host.value != other.host.value) return false;
  const bool by_uid = both_authorise(uid, other.uid);
  const bool by_sid = both_authorise(sid, other.sid);
  if (by_uid && uid.value != other.uid.value) return false;
  if (by_sid && sid.value != other.sid.value) return false;
  return by_uid || by_sid;
}

bool identity::is_superuser() const noexcept {
  return (uid.may_authorise() && uid.value == 0) || (sid.may_authorise() && sid.value == local_system);
}

bool identity::in_group(std::uint32_t group) const noexcept {
  if (gid.may_authorise() && gid.value == group) return true;
  return groups.may_authorise() && std::ranges::find(groups.value, group) != groups.value.end();
}

}  // namespace tp
