// Parsing of endpoint names. Each refusal quotes the text and says which part is wrong and what would be
// right.
#include "twinpipe/name.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "twinpipe/escape.hpp"

namespace tp {
namespace {

constexpr std::size_t plain_max = 200;
constexpr std::size_t abstract_max = 107;  // sizeof(sun_path) less the leading NUL, unix(7)
constexpr std::size_t path_max =
    4095;  // PATH_MAX less the NUL, limits.h(0p) on Linux; a system may take less
constexpr std::size_t component_max = 255;
constexpr std::size_t host_max = 253;  // RFC 1035, 2.3.4, as text
constexpr std::size_t user_max = 255;

// What is wrong with a part of a name; empty: nothing.
struct finding {
  std::string text;
  errc code = errc::invalid_name;

  [[nodiscard]] bool ok() const noexcept { return text.empty(); }
};

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

constexpr bool is_slash(char c) noexcept {
  return c == '/' || c == '\\';
}

constexpr bool is_alphanumeric(char c) noexcept {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

constexpr bool is_word(char c) noexcept {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

finding too_long(std::string_view part, std::size_t length, std::size_t most) {
  return {std::string(part) + " has " + std::to_string(length) + " bytes; at most " + std::to_string(most) +
              " are allowed",
          errc::name_too_long};
}

// The rule that names, users and hosts share: 1 to `most` of A-Z a-z 0-9 . _ -
finding check_word(std::string_view part, std::string_view word, std::size_t most) {
  if (word.empty()) return {std::string(part) + " is missing"};
  const auto bad = std::ranges::find_if_not(word, is_word);
  if (bad != word.end())
    return {std::string(part) + " contains " + in_quotes({&*bad, 1}) + " at byte " +
            std::to_string(bad - word.begin() + 1) + "; only A-Z a-z 0-9 . _ - are allowed"};
  if (word.size() > most) return too_long(part, word.size(), most);
  return {};
}

finding check_plain(std::string_view name) {
  if (finding f = check_word("the name", name, plain_max); !f.ok()) return f;
  if (name.front() == '.') return {"the name starts with a dot, which is reserved"};
  if (equal_ignoring_case(name.substr(name.size() - std::min<std::size_t>(name.size(), 5)), ".lock"))
    return {"the name ends in '.lock', which is reserved for lock files"};
  return {};
}

// A user or host is handed to programs as an argument: one that starts with '-' would be read as an option.
finding check_remote(std::string_view part, std::string_view word, std::size_t most) {
  if (finding f = check_word(part, word, most); !f.ok()) return f;
  if (word.front() == '-') return {std::string(part) + " starts with '-'"};
  return {};
}

finding check_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return {"the path is not absolute: it must start with '/'"};
  if (const std::size_t nul = path.find('\0'); nul != std::string_view::npos)
    return {"the path contains NUL at byte " + std::to_string(nul + 1)};
  const std::string_view last = path.substr(path.rfind('/') + 1);
  if (last.empty()) return {"the path ends in '/': the name of the socket is missing"};
  if (last == "." || last == "..")
    return {"the path ends in " + in_quotes(last) + ", which is always a directory"};
  if (last.size() > component_max) return too_long("the last part of the path", last.size(), component_max);
  if (path.size() > path_max) return too_long("the path", path.size(), path_max);
  return {};
}

finding check_abstract(std::string_view name) {
  if (name.empty()) return {"the abstract name is missing"};
  if (const std::size_t nul = name.find('\0'); nul != std::string_view::npos)
    return {"the abstract name contains NUL at byte " + std::to_string(nul + 1)};
  if (name.size() > abstract_max) return too_long("the abstract name", name.size(), abstract_max);
  return {};
}

// System.IO.Pipes takes a rooted name as a path and refuses a slash in any other.
finding check_dotnet(std::string_view name) {
  if (name.empty()) return {"the .NET name is missing"};
  if (equal_ignoring_case(name, "anonymous")) return {"the name 'anonymous' is reserved by .NET"};
  if (const std::size_t nul = name.find('\0'); nul != std::string_view::npos)
    return {"the .NET name contains NUL at byte " + std::to_string(nul + 1)};
  if (name.front() == '/') {
    if (name.back() == '/') return {"the .NET name is a path that ends in '/'"};
  } else if (const std::size_t slash = name.find('/'); slash != std::string_view::npos) {
    return {"the .NET name contains '/' at byte " + std::to_string(slash + 1) +
            " and does not start with one"};
  }
  if (name.size() > path_max) return too_long("the .NET name", name.size(), path_max);
  return {};
}

// A name in its parts, before it is checked as a whole.
struct parts {
  name_kind kind = name_kind::plain;
  std::string leaf, host, user;
  finding wrong;
};

parts refuse(name_kind kind, finding wrong) {
  return {kind, {}, {}, {}, std::move(wrong)};
}

bool consume(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Takes the text up to the next slash, and the slash.
std::string_view take_component(std::string_view& text) noexcept {
  const auto end = std::ranges::find_if(text, is_slash);
  const std::string_view component(text.begin(), end);
  text.remove_prefix(component.size() + (end == text.end() ? 0 : 1));
  return component;
}

// What follows the two slashes of `\\host\pipe\name`.
parts parse_pipe(std::string_view rest, bool local_only) {
  const std::string_view host = take_component(rest);
  const name_kind kind = host == "." ? name_kind::pipe : name_kind::remote_pipe;
  if (local_only && kind != name_kind::pipe)
    return refuse(kind, {"after 'npipe:' must come '////./pipe/' and the name"});
  if (kind == name_kind::remote_pipe) {
    if (finding f = check_remote("the host", host, host_max); !f.ok()) return refuse(kind, f);
  }
  const std::string_view pipe = take_component(rest);
  if (!equal_ignoring_case(pipe, "pipe"))
    return refuse(kind, {"after the host comes " + in_quotes(pipe) + " where 'pipe' must stand"});
  return {kind, lowered(rest), kind == name_kind::pipe ? "" : std::string(host), {}, check_plain(rest)};
}

// What follows `ssh://`.
parts parse_ssh(std::string_view rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view host = rest.substr(0, slash);
  const std::string_view name = rest.substr(std::min(slash + 1, rest.size()));
  std::string_view user;
  if (const std::size_t at = host.find('@'); at != std::string_view::npos) {
    user = host.substr(0, at);
    host.remove_prefix(at + 1);
    if (finding f = check_remote("the user", user, user_max); !f.ok()) return refuse(name_kind::ssh, f);
  }
  if (finding f = check_remote("the host", host, host_max); !f.ok()) return refuse(name_kind::ssh, f);
  return {name_kind::ssh, lowered(name), std::string(host), std::string(user), check_plain(name)};
}

parts take_apart(std::string_view text) {
  std::string_view rest = text;
  if (consume(rest, "unix-abstract:"))
    return {name_kind::unix_abstract, std::string(rest), {}, {}, check_abstract(rest)};
  if (consume(rest, "unix:")) return {name_kind::unix_path, std::string(rest), {}, {}, check_path(rest)};
  if (consume(rest, "dotnet:")) return {name_kind::dotnet, std::string(rest), {}, {}, check_dotnet(rest)};
  if (consume(rest, "ssh://")) return parse_ssh(rest);
  if (rest.size() >= 6 && equal_ignoring_case(rest.substr(0, 6), "npipe:")) {
    rest.remove_prefix(6);
    if (!consume(rest, "////"))
      return refuse(name_kind::pipe, {"after 'npipe:' must come '////./pipe/' and the name"});
    return parse_pipe(rest, true);
  }
  if (rest.size() >= 2 && is_slash(rest[0]) && is_slash(rest[1])) return parse_pipe(rest.substr(2), false);
  if (rest.starts_with('/')) return {name_kind::unix_path, std::string(rest), {}, {}, check_path(rest)};
  return {name_kind::plain, lowered(rest), {}, {}, check_plain(rest)};
}

}  // namespace

result<endpoint_name> endpoint_name::parse(std::string_view text) {
  parts found = take_apart(text);
  if (!found.wrong.ok())
    return fail(found.wrong.code, operation::none, 0, make_text(in_quotes(text) + ": " + found.wrong.text));
  endpoint_name name;
  name.text_ = text;
  name.leaf_ = std::move(found.leaf);
  name.host_ = std::move(found.host);
  name.user_ = std::move(found.user);
  name.kind_ = found.kind;
  return name;
}

}  // namespace tp
