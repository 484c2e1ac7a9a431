// A twin around another one that counts the calls of the seam, makes one fail, and watches over the contract.
#pragma once

#include <memory>

#include "support/seam_ledger.hpp"
#include "twinpipe/backend.hpp"

namespace tp::test {

/// Everything that can fail is forwarded under the ledger's eye; locks, time, chance and the log are the
/// inner process's own. The ledger outlives it.
[[nodiscard]] std::unique_ptr<backend::process> make_faulty(std::unique_ptr<backend::process> inner,
                                                            ledger& book);

}  // namespace tp::test
