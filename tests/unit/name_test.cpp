// Names: which are taken, what they come to, and what is said of the others.
#include "twinpipe/name.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/escape.hpp"

namespace {

using namespace std::string_literals;
using tp::endpoint_name;
using tp::errc;
using nk = tp::name_kind;

struct good {
  std::string text;
  nk what;
  std::string leaf, host, user;
};

const std::vector<good>& good_names() {
  static const std::vector<good> names{
      {"files", nk::plain, "files", "", ""},
      {"a", nk::plain, "a", "", ""},
      {"Files.V2_x-Y", nk::plain, "files.v2_x-y", "", ""},
      {"-", nk::plain, "-", "", ""},
      {"a.", nk::plain, "a.", "", ""},
      {"lock", nk::plain, "lock", "", ""},
      {"a.locks", nk::plain, "a.locks", "", ""},
      {"pipe", nk::plain, "pipe", "", ""},
      {std::string(200, 'Z'), nk::plain, std::string(200, 'z'), "", ""},
      {R"(\\.\pipe\Files)", nk::pipe, "files", "", ""},
      {R"(\\.\PIPE\x)", nk::pipe, "x", "", ""},
      {"//./pipe/x", nk::pipe, "x", "", ""},
      {"//./PiPe/X", nk::pipe, "x", "", ""},
      {"npipe:////./pipe/docker_engine", nk::pipe, "docker_engine", "", ""},
      {"NPipe:////./pipe/x", nk::pipe, "x", "", ""},
      {R"(\\Host-1.example\pipe\X)", nk::remote_pipe, "x", "Host-1.example", ""},
      {"//host/pipe/x", nk::remote_pipe, "x", "host", ""},
      {"/run/My.sock", nk::unix_path, "/run/My.sock", "", ""},
      {"/x", nk::unix_path, "/x", "", ""},
      {"/a/../b/./c", nk::unix_path, "/a/../b/./c", "", ""},
      {"/a b/\xc3\xa9", nk::unix_path, "/a b/\xc3\xa9", "", ""},
      {"/"s + std::string(300, 'd') + "/x", nk::unix_path, "/" + std::string(300, 'd') + "/x", "", ""},
      {"/a/.hidden", nk::unix_path, "/a/.hidden", "", ""},
      {"/a/...", nk::unix_path, "/a/...", "", ""},
      {"unix:/run/x", nk::unix_path, "/run/x", "", ""},
      {"unix:///run/x", nk::unix_path, "///run/x", "", ""},
      {"unix-abstract:x", nk::unix_abstract, "x", "", ""},
      {"unix-abstract:/a/B c/", nk::unix_abstract, "/a/B c/", "", ""},
      {"unix-abstract:"s + std::string(107, 'x'), nk::unix_abstract, std::string(107, 'x'), "", ""},
      {"dotnet:testPipe", nk::dotnet, "testPipe", "", ""},
      {"dotnet:.a b\\c:d", nk::dotnet, ".a b\\c:d", "", ""},
      {"dotnet:/tmp/x", nk::dotnet, "/tmp/x", "", ""},
      {"dotnet:/a/..", nk::dotnet, "/a/..", "", ""},
      {"dotnet:anonymous2", nk::dotnet, "anonymous2", "", ""},
      {"ssh://host/Files", nk::ssh, "files", "host", ""},
      {"ssh://alice@Host.example/x", nk::ssh, "x", "Host.example", "alice"},
  };
  return names;
}

struct bad {
  std::string text;
  std::string why;
  errc code = errc::invalid_name;
};

const std::vector<bad>& bad_plain_and_pipe_names() {
  static const std::vector<bad> names{
      {"", "the name is missing"},
      {"fi les", "the name contains ' ' at byte 3; only A-Z a-z 0-9 . _ - are allowed"},
      {"a/b", "the name contains '/' at byte 2; only"},
      {"a\\b", "the name contains '\\\\' at byte 2; only"},
      {"a\0b"s, "the name contains '\\x00' at byte 2; only"},
      {"caf\xc3\xa9", "the name contains '\\xc3' at byte 4; only"},
      {"http://x", "the name contains ':' at byte 5; only"},
      {"UNIX:/x", "the name contains ':' at byte 5; only"},
      {".hidden", "the name starts with a dot, which is reserved"},
      {".", "the name starts with a dot, which is reserved"},
      {"..", "the name starts with a dot, which is reserved"},
      {"files.lock", "the name ends in '.lock', which is reserved for lock files"},
      {"files.LoCK", "the name ends in '.lock', which is reserved for lock files"},
      {std::string(201, 'a'), "the name has 201 bytes; at most 200 are allowed", errc::name_too_long},
      {R"(\\.\pipe\)", "the name is missing"},
      {R"(\\.\pipe)", "the name is missing"},
      {R"(\\.\pipe\a\b)", "the name contains '\\\\' at byte 2; only"},
      {R"(\\.\pipe\.x)", "the name starts with a dot, which is reserved"},
      {R"(\\.\pipes\x)", "after the host comes 'pipes' where 'pipe' must stand"},
      {R"(\\.)", "after the host comes '' where 'pipe' must stand"},
      {R"(\\)", "the host is missing"},
      {"//", "the host is missing"},
      {R"(\\?\pipe\x)", "the host contains '?' at byte 1; only"},
      {"///pipe/x", "the host is missing"},
      {R"(\\-h\pipe\x)", "the host starts with '-'"},
      {"//host/share/x", "after the host comes 'share' where 'pipe' must stand"},
      {"//"s + std::string(254, 'h') + "/pipe/x", "the host has 254 bytes; at most 253 are allowed",
       errc::name_too_long},
      {"npipe:x", "after 'npipe:' must come '////./pipe/' and the name"},
      {"npipe://./pipe/x", "after 'npipe:' must come '////./pipe/' and the name"},
      {"npipe:////host/pipe/x", "after 'npipe:' must come '////./pipe/' and the name"},
  };
  return names;
}

const std::vector<bad>& bad_prefixed_names() {
  static const std::vector<bad> names{
      {"/", "the path ends in '/': the name of the socket is missing"},
      {"/run/x/", "the path ends in '/': the name of the socket is missing"},
      {"/run/.", "the path ends in '.', which is always a directory"},
      {"/run/..", "the path ends in '..', which is always a directory"},
      {"/a\0b"s, "the path contains NUL at byte 3"},
      {"unix:", "the path is not absolute: it must start with '/'"},
      {"unix:run/x", "the path is not absolute: it must start with '/'"},
      {"/"s + std::string(256, 'x'), "the last part of the path has 256 bytes; at most 255 are allowed",
       errc::name_too_long},
      {"/"s + std::string(4094, 'd') + "/x", "the path has 4097 bytes; at most 4095 are allowed",
       errc::name_too_long},
      {"unix-abstract:", "the abstract name is missing"},
      {"unix-abstract:a\0"s, "the abstract name contains NUL at byte 2"},
      {"unix-abstract:"s + std::string(108, 'x'), "the abstract name has 108 bytes; at most 107 are allowed",
       errc::name_too_long},
      {"dotnet:", "the .NET name is missing"},
      {"dotnet:Anonymous", "the name 'anonymous' is reserved by .NET"},
      {"dotnet:a/b", "the .NET name contains '/' at byte 2 and does not start with one"},
      {"dotnet:a\0"s, "the .NET name contains NUL at byte 2"},
      {"dotnet:/a/", "the .NET name is a path that ends in '/'"},
      {"dotnet:/", "the .NET name is a path that ends in '/'"},
      {"dotnet:"s + std::string(4096, 'x'), "the .NET name has 4096 bytes; at most 4095 are allowed",
       errc::name_too_long},
      {"ssh://", "the host is missing"},
      {"ssh:///x", "the host is missing"},
      {"ssh://host", "the name is missing"},
      {"ssh://host/", "the name is missing"},
      {"ssh://host/a/b", "the name contains '/' at byte 2; only"},
      {"ssh://host/.x", "the name starts with a dot, which is reserved"},
      {"ssh://-oProxyCommand=x/x", "the host contains '=' at byte 15; only"},
      {"ssh://-V/x", "the host starts with '-'"},
      {"ssh://host:22/x", "the host contains ':' at byte 5; only"},
      {"ssh://@host/x", "the user is missing"},
      {"ssh://-l@host/x", "the user starts with '-'"},
      {"ssh://a b@host/x", "the user contains ' ' at byte 2; only"},
      {"ssh://a@b@host/x", "the host contains '@' at byte 2; only"},
      {"ssh://"s + std::string(256, 'u') + "@h/x", "the user has 256 bytes; at most 255 are allowed",
       errc::name_too_long},
      {"ssh:host/x", "the name contains ':' at byte 4; only"},
  };
  return names;
}

}  // namespace

TEST_CASE("every form of a good name is taken apart") {
  for (const good& expected : good_names()) {
    CAPTURE(expected.text);
    const auto name = endpoint_name::parse(expected.text);
    REQUIRE(name);
    CHECK(name->kind() == expected.what);
    CHECK(name->leaf() == expected.leaf);
    CHECK(name->host() == expected.host);
    CHECK(name->user() == expected.user);
    CHECK(name->text() == expected.text);
  }
}

TEST_CASE("a bad name is quoted and the reason is exact") {
  for (const auto* names : {&bad_plain_and_pipe_names(), &bad_prefixed_names()}) {
    for (const bad& expected : *names) {
      CAPTURE(expected.text.substr(0, 80));
      const auto name = endpoint_name::parse(expected.text);
      REQUIRE_FALSE(name);
      CHECK(to_string(name.error().code()) == to_string(expected.code));
      const std::string subject(name.error().subject());
      CAPTURE(subject);
      CHECK(subject.starts_with(tp::in_quotes(expected.text) + ": " + expected.why));
    }
  }
}

TEST_CASE("a refused name makes one sentence with a remedy") {
  const auto name = endpoint_name::parse("fi les");
  REQUIRE_FALSE(name);
  const std::string text = name.error().about(tp::operation::bind, {}).message();
  CAPTURE(text);
  CHECK(text.starts_with("bind failed: this names no endpoint: 'fi les': the name contains ' ' at byte 3"));
  CHECK(text.find("; use a plain name such as files") != std::string::npos);
}

TEST_CASE("of all bytes a plain name takes 65, and quotes the others") {
  int taken = 0;
  for (int i = 0; i < 256; ++i) {
    const char byte = static_cast<char>(i);
    const auto name = endpoint_name::parse("a"s + byte + "b");
    CAPTURE(i);
    if (name) {
      ++taken;
      CHECK(name->kind() == nk::plain);
    } else {
      const std::string where = tp::in_quotes(std::string_view(&byte, 1)) + " at byte 2";
      CHECK(name.error().subject().find(where) != std::string_view::npos);
    }
  }
  CHECK(taken == 65);
}

TEST_CASE("no text, however odd, is half accepted") {
  // Fragments that names are made of, put together by a small generator: the same texts in every run.
  static constexpr std::string_view pieces[] = {
      "/", "\\",    ".",    "pipe", "unix:", "unix-abstract:", "dotnet:", "ssh://", "npipe:",    "@", "-",
      "A", ".lock", "host", " ",    "\x80",  "\\\\",           "..",      ":",      "anonymous", "_"};
  std::uint32_t state = 1;
  for (std::uint32_t run = 0; run < 20000; ++run) {
    std::string text;
    for (std::uint32_t left = run % 7; left > 0; --left) {
      state = state * 1664525u + 1013904223u;
      text += pieces[(state >> 8) % std::size(pieces)];
    }
    const auto name = endpoint_name::parse(text);
    CAPTURE(text);
    if (!name) {
      REQUIRE(name.error().subject().starts_with(tp::in_quotes(text) + ": "));
      continue;
    }
    REQUIRE_FALSE(name->leaf().empty());
    REQUIRE(name->text() == text);
    REQUIRE(name->host().find_first_of("-@/\\") != 0);
    REQUIRE((name->host().empty() || name->kind() == nk::remote_pipe || name->kind() == nk::ssh));
    if (name->kind() == nk::plain) REQUIRE(endpoint_name::parse(name->leaf())->leaf() == name->leaf());
  }
}
