// What the kernel of a Unix system can't promise of an access policy.
#include "core/unenforced.hpp"

namespace tp::core {

std::string unenforced_by_sockets(const backend::bind_request& request) {
  using enum access_policy::audience;
  if (request.name.kind() == name_kind::unix_abstract)
    return "An abstract name has no permissions: any local user can connect and is judged only then, and any "
           "user can take the name while nobody holds it.";
  if (request.access.who() == users) return "Users who are not listed can connect and are refused only then.";
  if (request.access.who() == everyone_local)
    return "A client of another host that comes through a relay such as ssh counts as local.";
  return {};
}

}  // namespace tp::core
