// What comes next, and plans of several steps.
#include "author.hpp"

#include <array>

namespace tp::test::parity::api {

/// One of the things that it does, so often in 29 steps.
struct author::habit {
  std::size_t weight;
  std::optional<step> (*of)(author&);
};

std::optional<step> author::next() {
  const std::optional<step> thought_of = any_step();
  return thought_of && may_be_missed(*thought_of) ? std::nullopt : thought_of;
}

std::optional<step> author::any_step() {
  static constexpr std::array<habit, 10> habits{{
      {1, [](author& a) { return a.binding(); }},
      {3, [](author& a) { return a.connecting(); }},
      {3, [](author& a) { return a.accepting(); }},
      {5, [](author& a) { return a.sending(); }},
      {7, [](author& a) { return a.receiving(); }},
      {1, [](author& a) { return a.at_line(verb::shutdown); }},
      {1, [](author& a) { return a.at_line(verb::drain); }},
      {1, [](author& a) { return a.at_line(verb::close); }},
      {1, [](author& a) { return a.leaving(); }},
      {2, [](author& a) { return a.reading(); }},
  }};
  if (!plan_.empty()) {
    const step planned = plan_.back();
    plan_.pop_back();
    if (sides_.is_alive(planned.process)) return planned;
  }
  if (sides_.next_op() == 1) return binding();
  if (there_.lines.size() < 2 && random_.one_in(2)) return random_.one_in(2) ? connecting() : accepting();
  std::size_t roll = random_.below(29);
  for (const habit& each : habits) {
    if (roll < each.weight) return each.of(*this);
    roll -= each.weight;
  }
  return roll == 0 ? stopping() : rare();
}

std::optional<step> author::rare() {
  switch (random_.below(6)) {
    case 0:
      return crashing();
    case 1:
      return at_place(verb::unbind);
    case 2:
    case 3:
      return stopping();
    default:
      return at_place(verb::look);
  }
}

void author::learn(const step& s) {
  if (s.what == verb::crash) return there_.died(s.process);
  there_.began(s);
  if (is_of_connection(s.what)) last_ = s.at;
  if (s.what == verb::send && sides_.known().pending(s.op) && random_.one_in(2)) {
    const bool fills_queue = sides_.step_of(s.at).with.max_queued < manner().max_queued;
    fills_queue&& random_.one_in(2) ? plan_queue(s) : plan_withdrawal(s);
  }
  if (s.what == verb::send && s.bound == limit::none && random_.one_in(10)) plan_drains(s);
  for (const completion& each : sides_.ended()) there_.ended(each, sides_.step_of(each.op));
}

/// It is stopped, or its connection aborted, when the peer has begun to receive it.
void author::plan_withdrawal(const step& sent) {
  const auto to = there_.lines.find(sides_.known().peer(sent.at));
  if (to == there_.lines.end() || to->second.receiving != 0 || to->second.spent) return;
  const std::uint8_t peer = to->second.process;
  const step more{.what = verb::receive_more, .process = peer, .at = to->first};
  step end{.what = verb::stop, .process = sent.process, .at = sent.op};
  if (random_.one_in(4)) end = {.what = verb::abort, .process = sent.process, .at = sent.at};
  if (random_.one_in(4)) end = {.what = verb::crash, .process = sent.process};
  plan_ = {more, more, end, {.what = verb::receive, .process = peer, .at = to->first, .n = 1000}};
}

/// There is no room for it, where the first of a queue is larger than that may be.
void author::plan_queue(const step& sent) {
  plan_ = {{.what = verb::send, .process = sent.process, .at = sent.at, .n = 1000}};
}

/// Of what the peer hasn't received yet.
void author::plan_drains(const step& sent) {
  step drain{.what = verb::drain, .process = sent.process, .at = sent.at};
  plan_ = {drain, drain, drain};
  plan_.back().bound = limit::soon;
}

limit author::any_limit() {
  const std::size_t roll = random_.below(14);
  return roll == 0 ? limit::stopped : roll <= 2 ? limit::soon : limit::none;
}

}  // namespace tp::test::parity::api
