// From manners to options.
#include "options.hpp"

#include <chrono>
#include <utility>

namespace tp::test::parity::api {

endpoint_options endpoint_options_of(const manner& m, const setting& where, const std::string& folder) {
  endpoint_options o{.mode = m.how == style::message ? transmission::message : transmission::byte};
  o.framed = m.how == style::framed;
  if (m.how == style::raw) o.profile = profile::raw;
  o.direction = m.way;
  if (m.instances > 0) o.max_instances = m.instances;
  o.backlog = m.backlog;
  o.max_message = m.max_message;
  o.max_queued_bytes = m.max_queued;
  o.handshake_timeout = std::chrono::minutes(10);
  o.runtime_directory = folder;
  switch (m.admits) {
    case access_policy::audience::same_user:
      break;
    case access_policy::audience::group:
      o.access = access_policy::group(where.group);
      break;
    case access_policy::audience::users:
      o.access = access_policy::users({where.uids[std::to_underlying(person::alice)]});
      break;
    case access_policy::audience::everyone_local:
      o.access = access_policy::everyone_local();
      break;
  }
  return o;
}

connect_options connect_options_of(const manner& m, const std::string& folder) {
  return {.mode = m.how == style::message ? transmission::message : transmission::byte,
          .profile = m.how == style::raw ? profile::raw : profile::native,
          .direction = m.way,
          .level = m.level,
          .expected_server = m.trust,
          .wait_for_server = m.waits,
          .framed = m.how == style::framed,
          .max_message = m.max_message,
          .max_queued_bytes = m.max_queued,
          .runtime_directory = folder};
}

}  // namespace tp::test::parity::api
