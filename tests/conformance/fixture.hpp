// All that a conformance case needs: how to write one, its world, its parties and their flags. Blind to the
// backend.
//
//   CONFORMANCE_CASE("a client waits until it is accepted", needs()) {  // named by docs/semantics.md
//     const std::string name = w.fresh_name();
//     flag bound(w);
//     w.party("server", [&](party& p) -> task<void> {      // a process and a runtime of its own
//       auto [served, door] = p.serve(bound, name);        // an endpoint and a listener; sets the flag
//       connection client = co_await p.accept(door);
//       EXPECT(p, served.statistics().instances == 1);
//     });
//     w.party("client", [&](party& p) -> task<void> {
//       co_await p.wait(bound);
//       connection server = co_await p.connect(name);
//     });
//     w.run();                                             // all parties, to their ends
//   }
//
// The body gets `world& w`. Parties may be lambdas that capture: the world keeps them until it ends. Parties
// of the real twin are threads: what several of them touch is either handed over by a flag (set() happens
// before the wait ends) or thread-safe by itself. Don't use Catch2's assertions inside a party; EXPECT(p, …)
// and the members of `party` fail it.
//
// In one program `connection`, `listener` and `awaitable` stand for blocking calls, see arm.hpp: so ask
// runtimes through p.try_listen(), p.attempt() and p.search(), and let nothing depend on what a peer's
// runtime answers while that peer is in no call. Where the two differ on purpose ask calls_block.
//
// The same body runs again with a fault in the seam, for every call of it. A party whose expectation fails
// then ends quietly, and with it the world; so inside a body
// - every await is bounded: by a helper of `party`, by p.bounded(…), by .within(…).unless(p.stop()), or with
//   a stopper's token. Nothing else may be awaited but tasks and task_group::join;
// - tasks of a task_group must end when p.stop() is requested, and the group must be joined on the way out
//   even if an expectation fails: use p.beside(…) rather than a group of your own;
// - nothing is checked outside the parties but by EXPECT(w, …) after w.run().
#pragma once

#include "conformance/case.hpp"   // IWYU pragma: export
#include "conformance/party.hpp"  // IWYU pragma: export
#include "conformance/world.hpp"  // IWYU pragma: export
#include "twinpipe/twinpipe.hpp"  // IWYU pragma: export

// In files of cases, all of it is at hand without a prefix.
namespace tp::conformance {
using namespace std::chrono_literals;
}
