// The few things about threads that differ between systems.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "twinpipe/backend/threads.hpp"

namespace tp::platform {

[[nodiscard]] std::unique_ptr<backend::threads> make_threads();

/// For debuggers and logs; as much of the name as the system takes.
void name_this_thread(const std::string& name) noexcept;
/// Random bytes from the kernel; ends the program if it has none, which no supported system does.
void fill_random(std::span<std::byte> fill) noexcept;

}  // namespace tp::platform
