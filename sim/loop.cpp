// The turn of a world, the life of one pending operation (waiting, ready, settled), and a process's systems.
#include "loop.hpp"

#include "fatal.hpp"
#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::sim {

using namespace backend;

constexpr std::uint8_t is_ready = 1, is_cancelled = 2, is_withdrawn = 4;  // phases of an operation

turn_result loop::turn(time_point until) noexcept {
  if (std::exchange(turning_, true)) detail::fatal("a completion must not turn its own world");
  const turn_result result = take_turn(until);
  turning_ = false;
  return result;
}

turn_result loop::take_turn(time_point until) noexcept {
  for (immediate_ = 256;;) {
    while (!timers_.empty() && timers_.begin()->first.first <= now_) make_ready(*timers_.begin()->second);
    bool progress = false;
    for (auto n = ready_.size(); n > 0; --n) {
      op* const next = ready_.front();
      ready_.pop_front();
      if (next != nullptr && static_cast<handle*>(next->twin.owner)->settle(*next)) progress = true;
    }
    if (progress) return turn_result::progressed;
    if (!ready_.empty()) continue;
    const time_point next = timers_.empty() ? never : timers_.begin()->first.first;
    if (next == never && until == never) return turn_result::stalled;
    advance(std::min(next, until));
    if (next > until) return turn_result::timed_out;
  }
}

void loop::park(op& o) noexcept {
  o.twin.phase = 0;
  if (o.deadline != never) timers_.emplace(std::pair(o.deadline, o.twin.slot), &o);
}

void loop::make_ready(op& o) noexcept {
  if ((o.twin.phase & is_ready) != 0) return;
  o.twin.phase |= is_ready;
  timers_.erase({o.deadline, o.twin.slot});
  ready_.push_back(&o);
}

handle::handle(process_ref owner) : process_(std::move(owner)), time_(process_->world->time) {
  process_->handles.push_back(this);
}

handle::~handle() {
  std::erase(process_->handles, this);
}

start handle::submit(op& o, kind what) noexcept {
  const auto same = [what](const op* other) { return other->twin.kind == std::to_underlying(what); };
  if (what < kind::connect && std::ranges::any_of(pending_, same))
    detail::fatal("two operations of a kind were started on one stream or acceptor");
  o.n = 0;
  if (ended_ != errc::none) return o.finish({ended_});
  o.twin = {.owner = this, .slot = ++time_.started_, .kind = std::to_underlying(what)};
  const bool may_be_done = what != kind::schedule && time_.immediate_ > 0;
  if (const auto result = may_be_done ? attempt(o, what) : std::nullopt) {
    --time_.immediate_;
    return o.finish(*result, o.n);
  }
  pending_.push_back(&o);
  may_be_done ? time_.park(o) : time_.make_ready(o);
  return o.begin();
}

bool handle::settle(op& o) noexcept {
  // What is possible is done, though its cancel or deadline has come meanwhile: bytes win.
  auto result = ended_ != errc::none ? status{ended_} : std::optional<status>();
  if (!result && (o.twin.phase & is_withdrawn) == 0) result = attempt(o, static_cast<kind>(o.twin.kind));
  if (!result && (o.twin.phase & (is_cancelled | is_withdrawn)) != 0) result = status{errc::cancelled};
  if (!result && o.deadline <= time_.now()) result = status{errc::timed_out};
  if (!result) return time_.park(o), false;
  std::erase(pending_, &o);
  if (freed_ && pending_.empty()) delete this;
  o.complete(*result, o.n);
  return true;
}

void handle::request_cancel(op& o) noexcept {
  if (!o.pending() || o.twin.owner != this) return;
  // What is possible already is still done; what waits isn't tried any more.
  o.twin.phase |= (o.twin.phase & is_ready) != 0 ? is_cancelled : is_withdrawn;
  time_.make_ready(o);
}

void handle::wake(kind what) noexcept {
  for (op* const o : pending_)
    if (ended_ != errc::none || o->twin.kind == std::to_underlying(what)) time_.make_ready(*o);
}

void handle::end(errc why) noexcept {
  if (ended_ != errc::none) return;
  ended_ = why;
  let_go();
  wake({});
}

void handle::die() noexcept {
  end(errc::process_killed);
  while (!pending_.empty()) forget(*pending_.back());
  if (freed_) delete this;
}

void handle::forget(op& o) noexcept {
  time_.make_ready(o);
  std::ranges::replace(time_.ready_, &o, nullptr);
  std::erase(pending_, &o);
  o.forget();
}

void handle::check_left() const noexcept {
  for (const handle* const each : process_->handles) {
    if (each->system_ != this) continue;
    if (!each->pending_.empty()) detail::fatal("a system was destroyed while operations were pending");
    if (each != this && each->ended_ == errc::none)
      detail::fatal("a system was destroyed before a stream or acceptor on it");
  }
}

void handle::free() noexcept {
  end(errc::closed);
  freed_ = true;
  if (pending_.empty()) delete this;
}

namespace {

class system final : public backend::system, public handle {
 public:
  explicit system(process_ref process) : handle(std::move(process)) {}
  ~system() override {
    if (waker_->pending()) forget(*waker_);
    check_left();
    die();
  }
  [[nodiscard]] time_point now() const noexcept override { return process_->world->time.now(); }
  start sleep(op& o) override { return submit(o, kind::sleep); }
  void schedule(op& o) noexcept override { submit(o, kind::schedule); }
  start connect(connect_op& o) override { return submit(o, kind::connect); }
  void cancel(op& o) noexcept override { request_cancel(o); }
  result<acceptor_ptr> open(const std::shared_ptr<bound_name>& on) override {
    return listen(process_, on, *this);
  }
  result<stream_ptr> attach(detached_ptr s, attachment how) override {
    return adopt(std::move(s), how, *this);
  }
  turn_result turn(time_point until) override {
    return ended() == errc::none ? process_->world->time.turn(until) : turn_result::stalled;
  }
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override {
    waker_->handler = handler;
    waker_->context = context;
  }
  std::shared_ptr<backend::waker> get_waker() override { return waker_; }

 private:
  struct waker final : backend::waker, op {
    explicit waker(system& s) noexcept : op(run, nullptr), target(&s) {}
    static void run(op& o) noexcept { static_cast<waker&>(o).handler(o.context); }
    void wake() noexcept override {
      if (target != nullptr && !pending()) target->schedule(*this);
    }
    system* target;
    void (*handler)(void*) noexcept = [](void*) noexcept {};
  };

  std::optional<status> attempt(op& o, kind what) noexcept override {
    if (what == kind::connect) return sim::connect(process_, static_cast<connect_op&>(o));
    return what == kind::sleep && now() < o.deadline ? std::nullopt : std::optional(status{});
  }
  void let_go() noexcept override { waker_->target = nullptr; }
  std::shared_ptr<waker> waker_ = std::make_shared<waker>(*this);
};
static_assert(backend::implements<system, backend::system>);

}  // namespace

std::unique_ptr<backend::system> make_system(const process_ref& process) {
  return std::make_unique<system>(process);
}

}  // namespace tp::sim
