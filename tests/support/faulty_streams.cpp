// The decorators of what moves bytes.
#include "support/faulty_streams.hpp"

#include <utility>

#include "support/failed_operation.hpp"
#include "support/forwarded_operation.hpp"

namespace tp::test {

using namespace backend;

namespace {

class watched_detached final : public detached_stream {
 public:
  watched_detached(detached_ptr inner, ledger& book) noexcept
      : inner_(std::move(inner)), counted_(book.detached) {}
  [[nodiscard]] const identity& peer() const noexcept override { return inner_->peer(); }
  [[nodiscard]] detached_ptr take() noexcept { return std::move(inner_); }

 private:
  detached_ptr inner_;
  const alive counted_;
};

// The objects free themselves at release(); the inner ones live on for their pending operations.
template <class Stream>
class watched_stream : public Stream {
 public:
  watched_stream(std::unique_ptr<Stream, releaser> inner, backend::system* system, ledger& book)
      : inner_(std::move(inner)), book_(book), system_(system), counted_(book.streams) {}

  start read(read_op& op) override {
    return attempt(seam_call::read, errc::io_error, op, [this](read_op& o) { return inner_->read(o); });
  }
  start write(write_op& op) override {
    return attempt(seam_call::write, errc::io_error, op, [this](write_op& o) { return inner_->write(o); });
  }
  start shutdown(op& op) override {
    return attempt(seam_call::shutdown, errc::io_error, op,
                   [this](backend::op& o) { return inner_->shutdown(o); });
  }
  start drain(drain_op& op) override {
    return attempt(seam_call::drain, errc::connection_reset, op,
                   [this](drain_op& o) { return inner_->drain(o); });
  }
  void cancel(op& op) noexcept override {
    if (fails_soon(failing_, op)) return;
    const within_twin inside;
    inner_->cancel(op);
  }
  void close() noexcept override {
    const within_twin inside;
    inner_->close();
  }
  // Other threads may be in a blocking one. After its close they touch nothing of this object any more.
  void release() noexcept override {
    const within_twin inside;
    inner_->close();
    delete this;
  }
  detached_ptr detach() noexcept override {
    if (!failing_->empty()) return nullptr;
    auto inner = inner_->detach();
    return inner ? watch(std::move(inner), book_) : nullptr;
  }
  [[nodiscard]] const identity& peer() const noexcept override { return inner_->peer(); }

 protected:
  virtual ~watched_stream() = default;

  const std::unique_ptr<Stream, releaser> inner_;
  ledger& book_;

 private:
  template <class Op, class Call>
  start attempt(seam_call what, errc failure, Op& op, Call call) {
    if (book_.must_fail(what)) return failed_operation::start(book_, system_, op, failure, failing_);
    return forwarded_operation::start(book_, op, call);
  }

  backend::system* const system_;
  const failing_operations failing_ = std::make_shared<std::vector<op*>>();
  const alive counted_;
};

class watched_loop_stream final : public watched_stream<byte_stream> {
 public:
  using watched_stream::watched_stream;
};

class watched_blocking_stream final : public watched_stream<blocking_stream> {
 public:
  watched_blocking_stream(blocking_stream_ptr inner, ledger& book)
      : watched_stream(std::move(inner), nullptr, book) {}
  status wait(readiness what, time_point deadline, interrupt* until) override {
    if (book_.must_fail(seam_call::wait)) return {errc::io_error};
    return inner_->wait(what, deadline, until);
  }
};

void watch_accepted(op& done, ledger& book) {
  auto& accepted = static_cast<accept_op&>(done);
  if (accepted.stream) accepted.stream = watch(std::move(accepted.stream), book);
}

class watched_acceptor final : public acceptor {
 public:
  watched_acceptor(acceptor_ptr inner, backend::system* system, ledger& book)
      : inner_(std::move(inner)), system_(system), book_(book), counted_(book.acceptors) {}

  start accept(accept_op& op) override {
    if (book_.must_fail(seam_call::accept))
      return failed_operation::start(book_, system_, op, errc::no_resources, failing_);
    return forwarded_operation::start(
        book_, op, [this](accept_op& o) { return inner_->accept(o); }, &watch_accepted);
  }
  void cancel(op& op) noexcept override {
    if (fails_soon(failing_, op)) return;
    const within_twin inside;
    inner_->cancel(op);
  }
  void close() noexcept override {
    const within_twin inside;
    inner_->close();
  }
  void release() noexcept override {
    const within_twin inside;
    delete this;
  }

 private:
  const acceptor_ptr inner_;
  backend::system* const system_;
  ledger& book_;
  const failing_operations failing_ = std::make_shared<std::vector<op*>>();
  const alive counted_;
};

}  // namespace

detached_ptr watch(detached_ptr inner, ledger& book) {
  return std::make_unique<watched_detached>(std::move(inner), book);
}
stream_ptr watch(stream_ptr inner, backend::system* system, ledger& book) {
  return stream_ptr(new watched_loop_stream(std::move(inner), system, book));
}
blocking_stream_ptr watch(blocking_stream_ptr inner, ledger& book) {
  return blocking_stream_ptr(new watched_blocking_stream(std::move(inner), book));
}
acceptor_ptr watch(acceptor_ptr inner, backend::system* system, ledger& book) {
  return acceptor_ptr(new watched_acceptor(std::move(inner), system, book));
}
detached_ptr unwatch(detached_ptr watched) {
  return dynamic_cast<watched_detached&>(*watched).take();
}

}  // namespace tp::test
