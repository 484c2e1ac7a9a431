// What a script's manners are as options of the library.
#pragma once

#include <string>

#include "setting.hpp"
#include "step.hpp"
#include "twinpipe/options.hpp"

namespace tp::test::parity::api {

[[nodiscard]] endpoint_options endpoint_options_of(const manner& m, const setting& where,
                                                   const std::string& folder);
/// It has a view of `folder`.
[[nodiscard]] connect_options connect_options_of(const manner& m, const std::string& folder);

}  // namespace tp::test::parity::api
