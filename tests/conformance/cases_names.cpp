// Rules E: names, and where they lead.
#include <algorithm>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

/// A server that greets one client, and the client that finds it by another text.
void expect_same_endpoint(world& w, const std::string& bound_as, const std::string& found_as,
                          connect_options how = {}) {
  const auto bound = std::make_shared<flag>(w);
  w.party("server of " + bound_as, [=](party& p) -> task<void> {
    auto [served, door] = p.serve(*bound, bound_as);
    connection client = co_await p.accept(door);
    co_await p.send(client, bound_as);
    co_await p.receive_end(client);
  });
  w.party("client of " + found_as, [=](party& p) -> task<void> {
    co_await p.wait(*bound);
    connection server = co_await p.connect(found_as, how);
    const std::string greeting = co_await p.receive_bytes(server, bound_as.size());
    EXPECT(p, greeting == bound_as);
  });
}

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

CONFORMANCE_CASE("a bad name is refused by bind and by connect with the reason", needs()) {
  w.party("anybody", [&](party& p) -> task<void> {
    const std::pair<std::string, errc> bad[] = {{"", errc::invalid_name},
                                                {"two words", errc::invalid_name},
                                                {"a/b", errc::invalid_name},
                                                {".hidden", errc::invalid_name},
                                                {"files.lock", errc::invalid_name},
                                                {"unix:relative", errc::invalid_name},
                                                {"tab\there", errc::invalid_name},
                                                {"ssh://-x/name", errc::invalid_name},
                                                {std::string(201, 'a'), errc::name_too_long}};
    for (const auto& [name, code] : bad) {
      const error bound = p.refusal(p.try_bind(name), code);
      const error connected = p.refusal(co_await p.try_connect(name), code);
      EXPECT(p, bound.what_failed() == operation::bind && connected.what_failed() == operation::connect);
      EXPECT(p, bound.subject() == connected.subject() && bound.subject().starts_with('\''));
      EXPECT(p, std::ranges::none_of(bound.message(), [](char c) { return c == '\t'; }));
    }
    const std::string longest(200, 'a');
    static_cast<void>(p.bind(longest));
  });
  w.run();
}

CONFORMANCE_CASE("a plain name is found whatever its case", needs()) {
  expect_same_endpoint(w, "Files-1.Of_Mine", "fILES-1.oF_mINE");
  w.run();
}

CONFORMANCE_CASE("a name is found only in the place where it was bound", needs()) {
  const std::string name = w.fresh_name(), elsewhere = w.new_directory();
  w.party("anybody", [&](party& p) -> task<void> {
    const endpoint here = p.bind(name);
    p.refusal(co_await p.try_connect(name, {.runtime_directory = elsewhere}), errc::not_found);
    endpoint_options there_options;
    there_options.runtime_directory = elsewhere;
    const endpoint there = p.bind(name, there_options);
    EXPECT(p, here.location() != there.location());
    listener door = p.listen(there);
    const auto accepted = [](party& who, listener& at) -> task<void> {
      connection client = co_await who.accept(at);
      co_await who.receive_end(client);
    };
    const auto found = [](party& who, const std::string& what, const std::string& where) -> task<void> {
      const connection server = co_await who.connect(what, {.runtime_directory = where});
    };
    co_await p.beside(accepted(p, door), found(p, name, elsewhere));
  });
  w.run();
}

CONFORMANCE_CASE("all spellings of a pipe's name mean the same endpoint", needs()) {
  expect_same_endpoint(w, R"(\\.\pipe\Spelled)", "//./pipe/spelled");
  expect_same_endpoint(w, "npipe:////./pipe/other", R"(\\.\PIPE\other)");
  w.run();
}

CONFORMANCE_CASE("a path names an endpoint however long its directory is", needs()) {
  const std::string path = w.deep_directory() + "/socket";
  expect_same_endpoint(w, "unix:" + path, path);
  w.run();
}

CONFORMANCE_CASE("an abstract name leads to its server", needs()) {
  const std::string name = "unix-abstract:" + w.directory();  // unlike plain names these know no directory
  expect_same_endpoint(w, name, name);
  w.run();
}

CONFORMANCE_CASE("an abstract name is free again when its listeners have heard of its end", needs()) {
  const std::string name = "unix-abstract:" + w.directory();
  w.party("server", [&](party& p) -> task<void> {
    for (int i = 0; i < 3; ++i) {
      endpoint served = p.bind(name);
      listener door = p.listen(served);
      listener idle = p.listen(served);
      p.refusal(co_await door.accept().within(1ms).unless(p.stop()), errc::timed_out);
      served.close();
      p.refusal(co_await p.bounded(door.accept()), errc::closed);
      if (calls_block) p.refusal(co_await p.bounded(idle.accept()), errc::closed);  // it hears in its calls
      co_await p.sleep(1ms);
      static_cast<void>(p.bind(name));
    }
  });
  w.run();
}

CONFORMANCE_CASE("a name of .NET speaks raw bytes", needs()) {
  const std::string name = "dotnet:" + w.directory() + "/pipe";
  expect_same_endpoint(w, name, "unix:" + w.directory() + "/pipe", {.profile = profile::raw});
  w.party("server of messages", [&](party& p) -> task<void> {
    endpoint_options options;
    options.mode = transmission::message;
    p.refusal(p.try_bind("dotnet:messages", options), errc::invalid_argument);
    options = {};
    options.framed = true;
    p.refusal(p.try_bind("dotnet:frames", options), errc::invalid_argument);
    p.refusal(co_await p.try_connect("dotnet:frames", {.framed = true}), errc::invalid_argument);
    p.refusal(co_await p.try_connect("dotnet:messages", {.mode = transmission::message}),
              errc::invalid_argument);
  });
  w.run();
}

CONFORMANCE_CASE("a name on another host is refused where nothing leads there", needs()) {
  w.party("anybody", [&](party& p) -> task<void> {
    for (const std::string name : {R"(\\elsewhere\pipe\files)", "ssh://somebody@elsewhere/files"}) {
      p.refusal(p.try_bind(name), errc::not_supported);
      p.refusal(co_await p.try_connect(name), errc::not_supported);
    }
  });
  w.run();
}

CONFORMANCE_CASE("a search that finds nobody lists every place it tried", needs(capability::impersonation)) {
  w.party(w.process(user::alice), "client", [&](party& p) -> task<void> {
    const std::string name = "nobody-of-that-name-here";
    const error missing = p.refusal(co_await p.bounded(p.search(name)), errc::not_found);
    // The name itself, the user's own place and the system's.
    EXPECT(p, occurrences(missing.subject(), name) >= 3);
    EXPECT(p, occurrences(missing.subject(), "/" + name) >= 2);
  });
  w.run();
}

CONFORMANCE_CASE("a policy wider than the place of its name is refused at bind", needs()) {
  const std::string name = w.fresh_name(), closed = w.new_directory(user::own, true);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.runtime_directory = closed;
    options.access = access_policy::everyone_local();
    const error refused = p.refusal(p.try_bind(name, options), errc::unreachable_policy);
    EXPECT(p, refused.subject().find(closed) != std::string_view::npos);
    options.access = access_policy::same_user();
    static_cast<void>(p.bind(name, options));
    co_return;
  });
  w.run();
}

}  // namespace tp::conformance
