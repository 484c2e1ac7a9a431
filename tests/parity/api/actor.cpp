// How a process's operations are started, stopped and told.
#include "actor.hpp"

#include "twinpipe/detail/killed.hpp"
#include "words.hpp"

namespace tp::test::parity::api {

actor::actor(tp::process& home, const setting& where)
    : home_(home), where_(where), runtime_(std::move(runtime::create(home).value())) {}

// What still waits ends: with cancelled or closed, or because the process was killed.
void actor::leave() {
  halt();
  finish();
  if (home_.twin().killed()) resume_killed(*runtime_);
  while (group_.size() > 0) runtime_->turn(never);
}

const std::string& actor::folder_of(std::uint16_t place) const {
  return where_.folders.at(std::to_underlying(where_.servers.at(place)));
}

void actor::halt() {
  for (auto& [op, ours] : stops_) {
    if (ours.what != verb::send) ours.source.request_stop();
  }
}

void actor::start(const step& s) {
  const bool waits = s.what == verb::bind || s.what == verb::accept || s.what == verb::connect ||
                     receives(s.what) || s.what == verb::send || s.what == verb::shutdown ||
                     s.what == verb::drain || s.what == verb::close;
  if (waits) {
    stop& ours = stops_.try_emplace(s.op, stop{.what = s.what}).first->second;
    if (s.bound == limit::stopped) ours.source.request_stop();
    return group_.start(perform(s));
  }
  completion c{.what = s.what, .op = s.op};
  do_now(s, c);
  ended_.push_back(c);
}

void actor::do_now(const step& s, completion& c) {
  if (s.what == verb::halt) return halt();
  if (s.what == verb::finish) return finish();
  if (s.what != verb::stop) return at_once(s, c);
  if (const auto found = stops_.find(s.at); found != stops_.end()) found->second.source.request_stop();
}

task<void> actor::perform(step s) {
  completion c{.what = s.what, .op = s.op};
  try {
    c = co_await begun(s);
  } catch (const detail::process_killed&) {
    stops_.erase(s.op);
    co_return;  // by somebody outside of this process, who doesn't ask what became of it
  }
  stops_.erase(s.op);
  c.what = s.what;
  c.op = s.op;
  ended_.push_back(c);
}

}  // namespace tp::test::parity::api
