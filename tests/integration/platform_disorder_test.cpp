// Starts, stops, closes and releases in any order, inside and outside completions: each pending operation
// completes once.
#include <array>
#include <random>

#include "platform_support.hpp"

namespace tp::test {
namespace {

// One end of a connection, with an operation of each kind.
struct end {
  backend::stream_ptr stream;
  test_read in{512};
  test_write out{""};
  test_op drained;
  int started = 0;  // starts that answered pending

  [[nodiscard]] int completed() const { return in.completions + out.completions + drained.completions; }
  [[nodiscard]] bool busy() const { return in.pending() || out.pending() || drained.pending(); }
};

class disorder {
 public:
  explicit disorder(unsigned seed) : choose_(seed), bound_(rig_.bind(request_for(directory_ / "a"))) {
    acceptor_ = rig_.open(bound_);
    for (end& one : ends_) one.in.then = one.out.then = one.drained.then = [this] { in_completion(); };
  }

  void run() {
    for (int i = 0; i < 400; ++i) {
      if (pick(4) == 0) connect(2 * pick(ends_.size() / 2));
      act(ends_[pick(ends_.size())]);
      if (pick(3) == 0) rig_.turn_once();
    }
    for (end& one : ends_) one.stream.reset();
    finishing_ = true;
    for (end& one : ends_) rig_.turn_until([&] { return !one.busy(); });
    for (const end& one : ends_) CHECK(one.completed() == one.started);
  }

 private:
  std::size_t pick(std::size_t bound) { return choose_() % bound; }

  void in_completion() {
    if (!finishing_ && pick(2) == 0) act(ends_[pick(ends_.size())]);
  }

  void connect(std::size_t at) {
    if (ends_[at].stream || ends_[at + 1].stream || ends_[at].busy() || ends_[at + 1].busy()) return;
    ends_[at].stream = rig_.attach(rig_.connect(directory_ / "a"));
    test_accept op;
    if (acceptor_->accept(op) == start::done) {
      ends_[at + 1].stream = rig_.attach(std::move(op.stream));
      return;
    }
    acceptor_->cancel(op);
    rig_.finish(op);
  }

  void count(end& one, start answer) { one.started += answer == start::pending ? 1 : 0; }

  void act(end& one) {
    if (!one.stream) return;
    switch (pick(10)) {
      case 0:
      case 1:
        if (!one.in.pending()) read(one);
        break;
      case 2:
      case 3:
        if (!one.out.pending()) write(one);
        break;
      case 4:
        if (!one.drained.pending()) count(one, one.stream->drain(one.drained));
        break;
      case 5:
        one.stream->cancel(one.in);
        break;
      case 6:
        one.stream->cancel(one.out);
        one.stream->cancel(one.drained);
        break;
      case 7:
        if (backend::detached_ptr loose = one.stream->detach()) one.stream = rig_.attach(std::move(loose));
        break;
      case 8:
        if (pick(3) == 0) one.stream->close();
        break;
      default:
        if (pick(3) == 0) one.stream.reset();
    }
  }

  void read(end& one) {
    const std::array sizes{std::size_t{0}, std::size_t{1}, one.in.buffer.size()};
    one.in.into = std::span(one.in.buffer).first(sizes[pick(sizes.size())]);
    one.in.deadline = pick(4) == 0 ? rig_.system->now() + std::chrono::microseconds(pick(2000)) : never;
    count(one, one.stream->read(one.in));
  }

  void write(end& one) {
    one.out.elements = {std::as_bytes(std::span(text_).first(pick(2) == 0 ? 10 : text_.size()))};
    one.out.buffers = one.out.elements;
    count(one, one.stream->write(one.out));
  }

  std::mt19937 choose_;
  rig rig_;
  temporary_directory directory_;
  std::shared_ptr<backend::bound_name> bound_;
  backend::acceptor_ptr acceptor_;
  std::array<end, 6> ends_;
  const std::string text_ = std::string(300'000, 'x');
  bool finishing_ = false;
};

}  // namespace

TEST_CASE("whatever the order of calls, each pending operation completes once and nothing is left open") {
  const std::size_t before = open_descriptors();
  for (unsigned seed = 0; seed < 12; ++seed) {
    INFO(seed);
    disorder(seed).run();
  }
  CHECK(open_descriptors() == before);
}

}  // namespace tp::test
