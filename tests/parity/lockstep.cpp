// How the sides are compared.
#include "lockstep.hpp"

#include <poll.h>

#include <utility>

namespace tp::test::parity {

lockstep::lockstep(std::unique_ptr<sockets> model, bool charges)
    : charges_(charges), model_(std::move(model)) {}

outcome lockstep::run(const operation& o) {
  if (!difference_.empty()) return {};
  const outcome said = kernel_->apply(o), modelled = model_->apply(o);
  history_.emplace_back(o, said);
  if (said != modelled) differ(to_text(said), to_text(modelled));
  learn(o, said);
  seen_ = kernel_->look();
  const auto modelled_state = model_->look();
  for (std::size_t slot = 0; slot < slots && difference_.empty(); ++slot) {
    const state kernel = comparable(seen_.at(slot)), model = comparable(modelled_state.at(slot));
    if (kernel == model) continue;
    const std::string name = "socket " + std::to_string(slot) + ": ";
    differ(name + to_text(kernel), name + to_text(model));
  }
  return said;
}

void lockstep::learn(const operation& o, const outcome& said) {
  urgent_ = urgent_ || o.what == verb::urgent;
  if (said.error != 0) return;
  const auto become = [this](int slot, role what) { roles_.at(static_cast<std::size_t>(slot)) = what; };
  if (o.what == verb::open) become(o.at, role::fresh);
  if (o.what == verb::listen) become(o.at, role::listening);
  if (o.what == verb::close) become(o.at, role::closed);
  if (o.what == verb::pair || o.what == verb::connect) become(o.at, role::connected);
  if (o.what == verb::pair || o.what == verb::accept) become(o.other, role::connected);
}

state lockstep::comparable(state s) const {
  // Since Linux 6.17 SIOCINQ goes on counting an urgent byte that a read has skipped; the bytes are right.
  if (urgent_) s.inq = 0;
  if (charges_) return s;
  constexpr auto out = static_cast<unsigned>(POLLOUT);
  return {.poll = s.poll & ~out, .outq = s.outq == 0 ? 0U : 1U, .inq = s.inq, .told = s.told & ~out};
}

void lockstep::differ(const std::string& kernel, const std::string& model) {
  for (const auto& [o, said] : history_) difference_ += "  " + to_text(o) + " -> " + to_text(said) + '\n';
  difference_ += "the kernel: " + kernel + "\nthe model:  " + model + '\n';
}

}  // namespace tp::test::parity
