// Which calls of the kernel a piece of a program makes.
#pragma once

#include <functional>
#include <string>

namespace tp::test {

/// Whether a child can be traced on this machine.
[[nodiscard]] bool can_trace();

/// Runs `body` in a child, and traces what it does inside the function it is given: the names of the calls
/// that open, close and look, move bytes, wait, or set options, in their order. "failed" if the child ends
/// with another code than 0.
using traced_piece = std::function<void(const std::function<void()>&)>;
[[nodiscard]] std::string system_calls(const std::function<void(const traced_piece&)>& body);

}  // namespace tp::test
