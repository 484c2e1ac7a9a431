// Names of pipes: their places, opening and binding them.
#include "windows/locations.hpp"

#include <algorithm>
#include <utility>

#include "twinpipe/backend/twin.hpp"
#include "windows/account.hpp"
#include "windows/errors.hpp"
#include "windows/instance_pool.hpp"
#include "windows/text.hpp"

namespace tp::platform {
namespace {

constexpr std::size_t longest = 256;  // CreateNamedPipe: the whole string, case ignored

// SECURITY_CONTEXT_TRACKING is left out: the server knows us as we are now, not as we are at each write.
DWORD quality_of_service(impersonation_level level) noexcept {
  switch (level) {
    case impersonation_level::anonymous:
      return SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS;
    case impersonation_level::identification:
      return SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    case impersonation_level::impersonation:
      return SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION;
    case impersonation_level::delegation:
      return SECURITY_SQOS_PRESENT | SECURITY_DELEGATION;
  }
  return SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS;
}

result<unique_handle> open_at(const std::string& location, impersonation_level level) {
  unique_handle pipe(CreateFileW(widen(location).c_str(), client_rights, 0, nullptr, OPEN_EXISTING,
                                 FILE_FLAG_OVERLAPPED | quality_of_service(level), nullptr));
  if (!pipe) return fail_last(operation::connect, location);
  return pipe;
}

class pipe_names final : public backend::names {
 public:
  [[nodiscard]] result<std::shared_ptr<backend::bound_name>> bind(
      const backend::bind_request& request) override {
    auto location = location_of(request.name, request.scope);
    if (!location) return fail(location.error().about(operation::bind, {}));
    auto security = pipe_security(request.access.who());
    if (!security) return fail(security);
    constexpr std::size_t most = PIPE_UNLIMITED_INSTANCES - 1;
    const bool counted = request.raw && request.max_instances <= most;
    auto pool = std::make_shared<instance_pool>(instance_pool::settings{
        .location = std::move(*location),
        .security = std::move(*security),
        .kernel_limit = counted ? static_cast<DWORD>(request.max_instances) : PIPE_UNLIMITED_INSTANCES,
        .backlog = static_cast<std::size_t>(std::max(request.backlog, 0)),
    });
    if (auto opened = pool->open(); !opened) return fail(opened);
    return pool;
  }
};
static_assert(backend::implements<pipe_names, backend::names>);

}  // namespace

result<std::string> location_of(const endpoint_name& name, name_scope scope) {
  std::string location = R"(\\.\pipe\)";
  switch (name.kind()) {
    case name_kind::plain:
      location +=
          "twinpipe." + (scope == name_scope::user ? own_sid() : std::string("system")) + "." + name.leaf();
      break;
    case name_kind::pipe:
    case name_kind::dotnet:
      location += name.leaf();
      break;
    case name_kind::unix_path:
    case name_kind::unix_abstract:
      return fail(errc::invalid_name, operation::none, 0, make_text(name.text()));
    case name_kind::remote_pipe:
    case name_kind::ssh:
      return fail(errc::not_supported, operation::none, 0, make_text(name.text()));
  }
  if (location.size() > longest)
    return fail(errc::name_too_long, operation::none, 0, make_text(std::move(location)));
  return location;
}

result<unique_handle> open_pipe(const endpoint_name& name, impersonation_level level) {
  auto place = location_of(name, name_scope::user);
  if (!place) return fail(place.error().about(operation::connect, {}));
  auto opened = open_at(*place, level);
  const bool go_on = !opened && opened.error() == errc::not_found && name.kind() == name_kind::plain;
  if (!go_on) return opened;
  auto system_place = location_of(name, name_scope::system);
  if (!system_place) return fail(system_place);
  auto there = open_at(*system_place, level);
  if (there || there.error().code() != errc::not_found) return there;
  return fail_with(errc::not_found, operation::connect, ERROR_FILE_NOT_FOUND,
                   *place + ": no such pipe; " + *system_place + ": no such pipe");
}

std::unique_ptr<backend::names> make_names() {
  return std::make_unique<pipe_names>();
}

}  // namespace tp::platform
