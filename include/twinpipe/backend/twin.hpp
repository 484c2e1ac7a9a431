// What the classes of every twin have in common, checked where they are defined, so that no twin drifts away
// from what the core relies on.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>

#include "twinpipe/backend/process.hpp"

namespace tp::backend {

/// T is a part of a twin: all of it, and nothing derives from it. Whoever holds one through the seam deletes
/// it.
template <class T, class Part>
concept implements = std::derived_from<T, Part> && std::is_final_v<T> && !std::is_abstract_v<T> &&
                     std::has_virtual_destructor_v<Part>;

/// The same for streams and acceptors, which nobody can delete through the seam: their holder may be in the
/// middle of a completion of theirs, and the system may still have one of their operations. release() does
/// it.
template <class T, class Part>
concept implements_released = std::derived_from<T, Part> && std::is_final_v<T> && !std::is_abstract_v<T> &&
                              !std::is_destructible_v<Part> && requires(Part& part) {
                                { part.close() } noexcept;
                                { part.release() } noexcept;
                              };

/// Make is a door into a twin: a function that yields a process, from which everything else comes.
template <class Make, class... Arguments>
concept makes_process =
    std::convertible_to<std::invoke_result_t<Make, Arguments...>, result<std::unique_ptr<process>>>;

}  // namespace tp::backend
