// Binding a name, and the endpoint as a handle, over mocks of the seam.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"
#include "twinpipe/runtime.hpp"

using namespace tp;
using namespace tp::test;
using trompeloeil::_;

namespace {

struct bind_rig : core_rig {
  mock_names names;
  std::shared_ptr<mock_bound_name> bound = std::make_shared<mock_bound_name>();
  std::unique_ptr<trompeloeil::expectation> kept = NAMED_ALLOW_CALL(twin, names()).LR_RETURN(std::ref(names));
};

}  // namespace

TEST_CASE("an endpoint's options are the documented ones unless they are set") {
  const endpoint_options options;
  CHECK((options.handshake_timeout == std::chrono::seconds(5) && options.max_half_open == 64));
  CHECK((options.max_message == std::size_t{1} << 20 && options.max_instances == unlimited));
  CHECK((options.mode == transmission::byte && options.profile == profile::native));
}

TEST_CASE("bind asks for the name with everything that the options say about it") {
  bind_rig rig;
  REQUIRE_CALL(rig.names, bind(_))
      .WITH(_1.name.leaf() == "files" && _1.scope == name_scope::system && _1.runtime_directory == "/place")
      .WITH(_1.access.who() == access_policy::audience::group && _1.access.ids() == std::vector{44u})
      .WITH(_1.backlog == 9)
      .WITH(_1.max_instances == 3 && !_1.raw)
      .LR_RETURN(rig.bound);
  auto made = rig.owner->bind("Files", {.max_instances = 3,
                                        .backlog = 9,
                                        .scope = name_scope::system,
                                        .runtime_directory = "/place",
                                        .access = access_policy::group(44)});
  REQUIRE(made.has_value());
  CHECK((made->name() == "Files" && made->location() == "/paper/name" && made->unenforced().empty()));
  REQUIRE_CALL(*rig.bound, withdraw());
  made->close();
  made->close();
}

TEST_CASE("the last copy of an endpoint gives the name back") {
  bind_rig rig;
  REQUIRE_CALL(rig.names, bind(_)).LR_RETURN(rig.bound);
  std::optional<endpoint> copy;
  {
    auto made = rig.owner->bind("files");
    REQUIRE(made.has_value());
    copy = *made;
  }
  REQUIRE_CALL(*rig.bound, withdraw());
  copy.reset();
}

TEST_CASE("options that contradict each other are refused before anything is bound") {
  bind_rig rig;
  FORBID_CALL(rig.names, bind(_));
  const std::vector<endpoint_options> wrong = {{.max_instances = 0},
                                               {.max_message = 0},
                                               {.max_message = max_message_limit + 1},
                                               {.handshake_timeout = duration::zero()},
                                               {.max_half_open = 0},
                                               {.backlog = 0},
                                               {.mode = transmission::message, .profile = profile::raw},
                                               {.profile = profile::raw, .framed = true}};
  for (const endpoint_options& each : wrong) {
    const auto made = rig.owner->bind("files", each);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error() == errc::invalid_argument);
  }
  CHECK(rig.owner->bind("dotnet:x", {.mode = transmission::message}).error() == errc::invalid_argument);
  CHECK(rig.owner->bind("dotnet:x", {.framed = true}).error() == errc::invalid_argument);
  CHECK(rig.owner->bind(".hidden").error() == errc::invalid_name);
  rig.impersonating = true;
  CHECK(rig.owner->bind("files").error() == errc::not_while_impersonating);
}

TEST_CASE("every error of the names is bind's, with the operation filled in") {
  for (const errc code :
       {errc::name_in_use, errc::access_denied, errc::unreachable_policy, errc::no_resources}) {
    bind_rig rig;
    REQUIRE_CALL(rig.names, bind(_)).LR_RETURN(fail(code, operation::none, 13));
    const auto made = rig.owner->bind("files");
    REQUIRE_FALSE(made.has_value());
    CHECK((made.error() == code && made.error().what_failed() == operation::bind &&
           made.error().system_cause() == 13));
    CHECK(made.error().subject() == "'files'");
  }
}

TEST_CASE("listening fails with the system's error, or with closed when the endpoint is") {
  bind_rig rig;
  auto systems = std::make_unique<paper_system>();
  paper_system& system = *systems;
  ALLOW_CALL(rig.twin, make_system(_)).LR_RETURN(std::unique_ptr<backend::system>(std::move(systems)));
  auto runtime = tp::runtime::create(*rig.owner);
  REQUIRE(runtime.has_value());
  REQUIRE_CALL(rig.names, bind(_)).LR_RETURN(rig.bound);
  auto made = rig.owner->bind("files");
  REQUIRE(made.has_value());
  REQUIRE_CALL(system, open(_)).RETURN(fail(errc::no_resources));
  CHECK((*runtime)->listen(*made).error() == errc::no_resources);
  REQUIRE_CALL(*rig.bound, withdraw());
  made->close();
  CHECK((*runtime)->listen(*made).error() == errc::closed);
}
