// How the sides are compared.
#include "duet.hpp"

#include <algorithm>
#include <utility>

namespace tp::test::parity::api {

namespace {

/// What a system may choose about what an operation is told.
struct freedom {
  /// With frames, who aborts or dies has read ahead, and how far depends on which of two ends a process looks
  /// at first. Only if it has left something in the kernel, that tells the other side. (A close tells
  /// itself.)
  bool reset = false;
  /// Of two threads, too: then what is left may be an answer of this side's, though all that it has sent was
  /// read.
  bool answer = false;
  /// Threads of one process that has both ends, when it ends or stops all: a call is told of its own end or
  /// stop, or of what that of the other side has come to, whichever goes first.
  bool end = false;
  /// Where choices are random, sends meet in writes and frames, and so in what one receive of a stream gets.
  bool count = false;
};

/// Or not known to be lost: what a close says of bytes that were lost without a word.
bool is_lost(const completion& c) {
  return c.what == verb::close && c.code == errc::none && c.delivered != delivery::delivered;
}

bool ends(const completion& c) {
  if (c.what == verb::send) return c.code == errc::closed || c.code == errc::broken_pipe;
  const bool goes_well = c.code == errc::none && (c.what == verb::drain || c.end);
  return (receives(c.what) || c.what == verb::drain) && (goes_well || c.code == errc::cancelled);
}

bool agree(const completion& real, const completion& simulated, freedom may_vary) {
  if (real.op != simulated.op) return false;
  if (may_vary.reset && real.end && simulated.end) return true;
  if (may_vary.reset && is_lost(real) && is_lost(simulated)) return true;
  if (may_vary.answer && real.what == verb::close && real.code == simulated.code) return true;
  if (may_vary.end && ends(real) && ends(simulated)) return true;
  if (outcome_of(real) != outcome_of(simulated)) return false;
  if (real.peer != simulated.peer || real.level != simulated.level) return false;
  if (may_vary.count && real.n > 0 && simulated.n > 0) return true;
  return real.n == simulated.n && real.data == simulated.data;
}

std::string to_text(const std::vector<completion>& all) {
  std::string text;
  for (const completion& each : all) text += (text.empty() ? "" : "; ") + to_text(each);
  return text.empty() ? "nothing has ended" : text;
}

}  // namespace

duet::duet(const cast& who, std::uint64_t seed, bool explored, meddling meddle)
    : simulated_{.on = simulated_side(who, seed, explored, meddle.does),
                 .meddle = std::move(meddle.says),
                 .book = ledger(who)},
      real_{.on = real_side(who), .meddle = {}, .book = ledger(who)},
      explored_(explored),
      who_(who),
      alive_(who.who.size(), true) {}

void duet::begin(played& at, step s) {
  at.ended.clear();
  if (s.what == verb::receive_all) s.n = static_cast<std::uint32_t>(at.book.unread(s.at));
  at.asked = s.n;
  at.book.begin(s);
  at.on->start(s);
  collect(at);
}

void duet::collect(played& at) {
  std::vector<completion> news = at.on->settle(at.book.is_any_large());
  for (completion& each : news) {
    if (at.meddle) at.meddle(each);
    at.book.end(each);
    at.ended.push_back(each);
  }
  std::ranges::sort(at.ended, {}, &completion::op);
}

/// Does a client wait that looks again by the clock?
bool duet::retries() const {
  return std::ranges::any_of(known().all_pending(), [this](const auto& each) {
    const step& s = each.second;
    const bool may_find_no_room = s.with.backlog < manner().backlog;
    return s.what == verb::connect && (s.with.waits || may_find_no_room) && is_alive(s.process);
  });
}

/// A send that blocks and needn't wait looks for what the peer asks, once in a millisecond.
bool duet::looks_first(const step& s) const {
  return who_.blocking && s.what == verb::send && !is_plain(style_of(s));
}

bool duet::play(step s) {
  if (!difference_.empty()) return false;
  s.op = next_op();
  steps_.push_back(s);
  constexpr duration try_again = std::chrono::milliseconds(60), between_looks = std::chrono::milliseconds(2);
  if (looks_first(s)) {
    simulated_.on->pass(between_looks);
    real_.on->pass(between_looks);
  }
  begin(simulated_, s);
  const bool waits = s.bound == limit::soon && known().pending(s.op);
  const bool repeats = retries();
  if (waits) simulated_.on->wait_for(s.process, s.op);
  if (repeats) simulated_.on->pass(try_again);
  if (waits || repeats) collect(simulated_);
  look_again();

  if (s.bound == limit::soon && !waits) s.bound = limit::ample;
  begin(real_, s);
  if (waits) real_.on->wait_for(s.process, s.op);
  if (repeats) real_.on->pass(try_again);
  if (waits || repeats) collect(real_);
  catch_up();
  if (s.what == verb::crash || s.what == verb::finish) alive_.at(s.process) = false;
  compare(s);
  return difference_.empty();
}

bool duet::looks(std::uint16_t op) const {
  const step& s = steps_.at(op - 1U);
  return (s.what == verb::drain || s.what == verb::close) && is_plain(style_of(s));
}

/// Without frames nothing tells a real process that its bytes were read: it looks again, from time to time.
void duet::catch_up() {
  const auto is_late = [this](const completion& each) {
    return looks(each.op) && real_.book.pending(each.op);
  };
  for (int times = 0; times < 200 && std::ranges::any_of(simulated_.ended, is_late); ++times) {
    real_.on->pass(std::chrono::milliseconds(1));
    collect(real_);
  }
}

/// And so does one that blocks, on either side.
void duet::look_again() {
  constexpr duration longest = std::chrono::milliseconds(20);
  const auto& pending = known().all_pending();
  const bool some = std::ranges::any_of(pending, [this](const auto& each) { return looks(each.first); });
  if (!who_.blocking || !some) return;
  simulated_.on->pass(longest);
  collect(simulated_);
}

bool duet::peer_has_closed(const completion& c) const {
  const step& of = steps_.at(c.op - 1U);
  const std::uint16_t peer = is_of_connection(of.what) ? known().peer(of.at) : std::uint16_t{0};
  return std::ranges::any_of(steps_, [peer](const step& s) { return s.what == verb::close && s.at == peer; });
}

/// Did a thread of this side send while one of the other side was closing? Who is faster of the two decides
/// whether what was sent is read at all.
bool duet::met_close(const completion& c) const {
  const step& of = steps_.at(c.op - 1U);
  if (!who_.blocking || !is_of_connection(of.what)) return false;
  const std::uint16_t peer = known().peer(of.at);
  return std::ranges::any_of(steps_, [&](const step& closes) {
    if (closes.what != verb::close || closes.at != peer) return false;
    const auto ended = ended_in_.find(closes.op);
    const std::uint16_t last = ended == ended_in_.end() ? next_op() : ended->second;
    return std::ranges::any_of(steps_, [&](const step& sends) {
      return sends.what == verb::send && sends.at == of.at && sends.op > closes.op && sends.op <= last;
    });
  });
}

std::string duet::named(const completion& c) const {
  const step& s = steps_.at(c.op - 1U);
  const bool makes = c.what == verb::accept || c.what == verb::connect;
  std::string of;
  if (who_.blocking && (makes || is_of_connection(c.what))) of = "blocking ";
  if (is_of_connection(c.what)) of += std::string(to_string(style_of(s))) + ' ';
  if (makes && style_of(s) == style::raw) of += "raw ";
  if ((c.what == verb::bind || c.what == verb::connect) && who_.abstract.at(s.at)) of += "abstract ";
  return of + std::string(to_string(c.what)) + ": " + outcome_of(c);
}

style duet::style_of(const step& s) const {
  return is_of_connection(s.what) ? steps_.at(s.at - 1U).with.how : s.with.how;
}

void duet::compare(const step& s) {
  ended_ = simulated_.ended;
  for (const completion& each : ended_) ended_in_[each.op] = s.op;
  history_ += "  " + to_text(s) + "\n      -> " + to_text(real_.ended) + '\n';
  if (const std::string why = real_.on->accident(); !why.empty())
    return differ(why, to_text(simulated_.ended));
  const auto same = [&](const completion& real, const completion& simulated) {
    const style how = style_of(steps_.at(real.op - 1U));
    const bool reset = !is_plain(how) && (!peer_has_closed(real) || met_close(real));
    const bool count = explored_ && how != style::message && (receives(real.what) || real.what == verb::send);
    const bool end = who_.blocking && (s.what == verb::finish || s.what == verb::halt);
    return agree(real, simulated,
                 {.reset = reset, .answer = who_.blocking && reset, .end = end, .count = count}) &&
           real_.book.peer(real.op) == simulated_.book.peer(real.op);
  };
  if (!std::ranges::equal(real_.ended, simulated_.ended, same)) {
    return differ(to_text(real_.ended), to_text(simulated_.ended));
  }
  for (const completion& each : real_.ended) ++outcomes_[named(each)];
}

void duet::finish() {
  for (std::size_t i = 0; i < alive_.size(); ++i) {
    const auto process = static_cast<std::uint8_t>(i);
    if (alive_.at(i)) play({.what = verb::halt, .process = process});
    if (alive_.at(i)) play({.what = verb::finish, .process = process});
  }
  if (!difference_.empty()) return;
  const std::string real = real_.book.error(), simulated = simulated_.book.error();
  if (!real.empty() || !simulated.empty())
    differ(real.empty() ? "right" : real, simulated.empty() ? "right" : simulated);
}

void duet::differ(const std::string& real, const std::string& simulated) {
  difference_ = history_ + "the real side:      " + real + "\nthe simulated side: " + simulated + '\n';
}

}  // namespace tp::test::parity::api
