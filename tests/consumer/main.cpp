// A program of somebody else's: it uses the installed headers and both twins, and nothing of this repository.
#include <cstdio>
#include <twinpipe/name.hpp>
#include <twinpipe/sim/world.hpp>

int main() {
  const auto name = tp::endpoint_name::parse("Files");
  if (!name || name->leaf() != "files") return 1;

  tp::sim::world world;
  const auto process = world.make_process("consumer", world.user("alice"));
  if (!process) return 1;

  std::puts("consumer works");
  return 0;
}
