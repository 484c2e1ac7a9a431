// The start of a real program.
#pragma once

#include <functional>
#include <memory_resource>

#include "twinpipe/process.hpp"

namespace tp {

/// Calls `program` with the calling process and returns its result: `int main() { return tp::run(server); }`.
/// If this system can't be used, the reason goes to standard error and the result is 1. An exception that
/// leaves `program` passes. `memory` is the process's, see its constructor and docs/memory.md.
int run(const std::function<int(process&)>& program, std::pmr::memory_resource* memory = nullptr);
/// The same, with the arguments of main in process::arguments(), the program's own name first.
int run(int argc, char** argv, const std::function<int(process&)>& program,
        std::pmr::memory_resource* memory = nullptr);

}  // namespace tp
