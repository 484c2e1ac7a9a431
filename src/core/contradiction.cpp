// Options that make no sense.
#include "core/contradiction.hpp"

#include <string_view>

namespace tp::core {
namespace {

// A relative path would mean another place after each chdir, and a system cuts a path at its first NUL.
[[nodiscard]] bool is_runtime_directory(std::string_view path) noexcept {
  if (path.find('\0') != std::string_view::npos) return false;
  const bool has_drive = path.size() > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\');
  return path.empty() || path.front() == '/' || path.front() == '\\' || has_drive;
}

// What both sides have.
template <class Options>
[[nodiscard]] const char* shared_contradiction(const Options& options, name_kind kind) noexcept {
  if (options.max_message == 0 || options.max_message > max_message_limit)
    return "max_message must be between 1 byte and 64 MiB";
  if (!is_runtime_directory(options.runtime_directory))
    return "runtime_directory must be an absolute path, without a NUL";
  if (options.profile != profile::raw) return nullptr;
  const bool dotnet = kind == name_kind::dotnet;
  if (options.mode == transmission::message) {
    return dotnet ? "a dotnet: name speaks the raw profile, which has no message mode"
                  : "the raw profile has no message mode";
  }
  if (!options.framed) return nullptr;
  return dotnet ? "a dotnet: name speaks the raw profile, which has no frames"
                : "the raw profile has no frames";
}

}  // namespace

const char* contradiction(const endpoint_options& options, name_kind kind) noexcept {
  if (options.max_instances == 0) return "max_instances must be 1 or more";
  if (options.max_half_open == 0) return "max_half_open must be 1 or more";
  if (options.backlog < 1) return "backlog must be 1 or more";
  if (options.handshake_timeout <= duration::zero()) return "handshake_timeout must be positive";
  return shared_contradiction(options, kind);
}

const char* contradiction(const connect_options& options, name_kind kind) noexcept {
  return shared_contradiction(options, kind);
}

}  // namespace tp::core
