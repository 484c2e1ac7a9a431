// A process's loops: one system turned by one thread.
#include "fatal.hpp"
#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/detail/frame_memory.hpp"

namespace tp::sim {

using namespace backend;

class system final : public backend::system, public handle, public tp::detail::recycled {
 public:
  explicit system(process_ref process) : handle(std::move(process)) {
    if (!time().current().outside()) {
      list_ = &own_;
      use_list(own_);
    }
    belong_to(*this);
  }
  ~system() override {
    if (waker_->pending()) {
      list_->ops.remove(waker_.get());
      unlink(*waker_);
      waker_->forget();
    }
    check_left();
    end(errc::closed);
  }
  [[nodiscard]] time_point now() const noexcept override { return time().now(); }
  [[nodiscard]] std::string describe() const override { return "a runtime"; }
  start sleep(op& o) override { return submit(o, kind::sleep); }
  void schedule(op& o) noexcept override { submit(o, kind::schedule); }
  start connect(connect_op& o) override { return submit(o, kind::connect); }
  void cancel(op& o) noexcept override { request_cancel(o); }
  result<acceptor_ptr> open(const std::shared_ptr<bound_name>& on) override {
    time().check_caller("listen");
    time().point();
    return listen(process_, on, *this);
  }
  result<stream_ptr> attach(detached_ptr s, attachment how) override {
    return adopt(std::move(s), how, *this);
  }
  turn_result turn(time_point until) override;
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

  bool complete_ready() noexcept;
  attempt_result attempt(op& o, kind what) noexcept override {
    if (what == kind::connect) return sim::connect(process_, static_cast<connect_op&>(o));
    return what == kind::sleep && now() < o.deadline ? attempt_result() : errc::none;
  }
  void let_go() noexcept override { waker_->target = nullptr; }

  std::shared_ptr<waker> waker_ = std::make_shared<waker>(*this);
  ready_list own_;
  ready_list* list_ = &process_->world->outside_ready;
};
static_assert(backend::implements<system, backend::system>);

turn_result system::turn(time_point until) {
  time().check_caller("a runtime's turn");
  if (std::exchange(list_->turning, true)) detail::fatal("a completion must not turn its own world");
  struct mark {
    bool& set;
    ~mark() { set = false; }
  };
  const mark done{list_->turning};
  time().point();
  list_->immediate = ready_list::immediate_per_turn;
  while (true) {
    if (complete_ready()) return turn_result::progressed;
    if (!list_->ops.empty()) {  // a part of a write has let a reader go on, or has another part to come
      time().point();
      continue;
    }
    if (process_->dead()) return turn_result::stalled;
    if (until <= now()) return turn_result::timed_out;
    list_->turns = &time().current();
    const scheduler::end came = time().block(wait::turn, static_cast<handle*>(this), until);
    list_->turns = nullptr;
    if (came == scheduler::end::stalled) return turn_result::stalled;
    if (came == scheduler::end::timed_out && list_->ops.empty()) return turn_result::timed_out;
  }
}

// What becomes ready meanwhile waits for the next turn; and a completion may take others out, those of a
// process that it ends.
bool system::complete_ready() noexcept {
  bool progress = false;
  for (std::size_t n = list_->ops.size(); n > 0 && !list_->ops.empty(); --n) {
    op* const next = list_->ops.take(time().choose(std::min(n, list_->ops.size()), choice::complete));
    if (static_cast<handle*>(next->twin.owner)->settle(*next)) progress = true;
  }
  return progress;
}

std::unique_ptr<backend::system> make_system(const process_ref& process) {
  return std::make_unique<system>(process);
}

}  // namespace tp::sim
