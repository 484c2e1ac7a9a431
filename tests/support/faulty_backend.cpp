// The decorators of a process and of its systems.
#include "support/faulty_backend.hpp"

#include <utility>

#include "support/failed_operation.hpp"
#include "support/faulty_streams.hpp"
#include "support/forwarded_operation.hpp"

namespace tp::test {

using namespace backend;

namespace {

void watch_connected(op& done, ledger& book) {
  auto& connected = static_cast<connect_op&>(done);
  if (connected.stream) connected.stream = watch(std::move(connected.stream), book);
}

class watched_system final : public backend::system {
 public:
  watched_system(std::unique_ptr<backend::system> inner, ledger& book) noexcept
      : inner_(std::move(inner)), book_(book), counted_(book.systems) {}

  [[nodiscard]] time_point now() const noexcept override { return inner_->now(); }
  start sleep(op& op) override {
    return forwarded_operation::start(book_, op, [this](backend::op& o) { return inner_->sleep(o); });
  }
  void schedule(op& op) noexcept override {
    forwarded_operation::start(book_, op, [this](backend::op& o) {
      inner_->schedule(o);
      return start::pending;
    });
  }
  start connect(connect_op& op) override {
    if (book_.must_fail(seam_call::connect))
      return failed_operation::start(book_, inner_.get(), op, errc::io_error, failing_);
    return forwarded_operation::start(
        book_, op, [this](connect_op& o) { return inner_->connect(o); }, &watch_connected);
  }
  void cancel(op& op) noexcept override {
    if (fails_soon(failing_, op)) return;
    const within_twin inside;
    inner_->cancel(op);
  }
  result<acceptor_ptr> open(const std::shared_ptr<bound_name>& name) override {
    if (book_.must_fail(seam_call::open)) return fail(errc::no_resources);
    auto opened = inner_->open(dynamic_cast<watched_name&>(*name).inner());
    if (!opened) return fail(opened);
    return watch(std::move(*opened), inner_.get(), book_);
  }
  result<stream_ptr> attach(detached_ptr stream, attachment how) override {
    if (book_.must_fail(seam_call::attach)) return fail(errc::no_resources);
    auto attached = inner_->attach(unwatch(std::move(stream)), how);
    if (!attached) return fail(attached);
    return watch(std::move(*attached), inner_.get(), book_);
  }
  turn_result turn(time_point until) override { return inner_->turn(until); }
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override {
    inner_->on_wake(handler, context);
  }
  std::shared_ptr<waker> get_waker() override { return inner_->get_waker(); }

 private:
  const std::unique_ptr<backend::system> inner_;
  ledger& book_;
  const failing_operations failing_ = std::make_shared<std::vector<op*>>();
  const alive counted_;
};

class watched_names final : public names {
 public:
  watched_names(names& inner, ledger& book) noexcept : inner_(inner), book_(book) {}
  result<std::shared_ptr<bound_name>> bind(const bind_request& request) override {
    if (book_.must_fail(seam_call::bind)) return fail(errc::no_resources);
    auto bound = inner_.bind(request);
    if (!bound) return fail(bound);
    return std::make_shared<watched_name>(std::move(*bound), book_);
  }

 private:
  names& inner_;
  ledger& book_;
};

class watched_files final : public backend::files {
 public:
  watched_files(backend::files& inner, ledger& book) noexcept : inner_(inner), book_(book) {}
  result<std::shared_ptr<backend::directory>> open_directory(std::string_view path) override {
    if (book_.must_fail(seam_call::open_directory))
      return fail(errc::no_resources, operation::open_directory);
    return inner_.open_directory(path);
  }
  result<std::string> read(backend::directory* beneath, std::string_view path,
                           std::size_t max_bytes) override {
    if (book_.must_fail(seam_call::read_file)) return fail(errc::io_error, operation::read_file);
    return inner_.read(beneath, path, max_bytes);
  }

 private:
  backend::files& inner_;
  ledger& book_;
};

class watched_impersonator final : public impersonator {
 public:
  watched_impersonator(impersonator& inner, ledger& book) noexcept : inner_(inner), book_(book) {}
  [[nodiscard]] result<void> check(const identity& peer) const override {
    if (book_.must_fail(seam_call::check_client)) return fail(errc::impersonation_denied);
    return inner_.check(peer);
  }
  [[nodiscard]] result<void> enter(const identity& peer) override {
    if (book_.must_fail(seam_call::enter_client)) return fail(errc::impersonation_denied);
    return inner_.enter(peer);
  }
  void revert() noexcept override { inner_.revert(); }
  [[nodiscard]] bool active() const noexcept override { return inner_.active(); }

 private:
  impersonator& inner_;
  ledger& book_;
};

class watched_threads final : public backend::threads {
 public:
  watched_threads(backend::threads& inner, ledger& book) noexcept : inner_(inner), book_(book) {}
  result<std::unique_ptr<backend::thread>> start_thread(const std::string& name,
                                                        std::function<void()> body) override {
    if (book_.must_fail(seam_call::start_thread)) return fail(errc::no_resources, operation::start_thread);
    return inner_.start_thread(name, std::move(body));
  }
  std::unique_ptr<backend::mutex> make_mutex(mutex_kind kind) override { return inner_.make_mutex(kind); }
  std::unique_ptr<backend::condition> make_condition() override { return inner_.make_condition(); }
  std::unique_ptr<backend::event> make_event() override { return inner_.make_event(); }
  [[nodiscard]] std::uint64_t this_thread() const noexcept override { return inner_.this_thread(); }
  [[nodiscard]] time_point now() const noexcept override { return inner_.now(); }
  void sleep_until(time_point deadline) override { inner_.sleep_until(deadline); }
  void random(std::span<std::byte> fill) noexcept override { inner_.random(fill); }

 private:
  backend::threads& inner_;
  ledger& book_;
};

class watched_process final : public backend::process {
 public:
  watched_process(std::unique_ptr<backend::process> inner, ledger& book)
      : inner_(std::move(inner)),
        book_(book),
        names_(inner_->names(), book),
        files_(inner_->files(), book),
        impersonator_(inner_->impersonator(), book),
        threads_(inner_->threads(), book),
        counted_(book.processes) {}

  [[nodiscard]] capabilities features() const noexcept override { return inner_->features(); }
  [[nodiscard]] const identity& self() const noexcept override { return inner_->self(); }
  [[nodiscard]] backend::names& names() noexcept override { return names_; }
  [[nodiscard]] backend::files& files() noexcept override { return files_; }
  [[nodiscard]] backend::impersonator& impersonator() noexcept override { return impersonator_; }
  [[nodiscard]] backend::threads& threads() noexcept override { return threads_; }
  [[nodiscard]] result<std::unique_ptr<backend::system>> make_system() override {
    if (book_.must_fail(seam_call::make_system)) return fail(errc::no_resources);
    auto made = inner_->make_system();
    if (!made) return fail(made);
    return std::make_unique<watched_system>(std::move(*made), book_);
  }
  [[nodiscard]] result<blocking_stream_ptr> attach_blocking(detached_ptr stream) override {
    if (book_.must_fail(seam_call::attach_blocking)) return fail(errc::no_resources);
    auto attached = inner_->attach_blocking(unwatch(std::move(stream)));
    if (!attached) return fail(attached);
    return watch(std::move(*attached), book_);
  }
  [[nodiscard]] result<std::unique_ptr<interrupt>> make_interrupt() override {
    if (book_.must_fail(seam_call::make_interrupt)) return fail(errc::no_resources);
    return inner_->make_interrupt();
  }
  [[nodiscard]] result<detached_ptr> adopt(native_handle in, native_handle out) override {
    // Handles are the twin's also when it fails, unless it knows none: a fault comes after its answer.
    const bool fails = book_.must_fail(seam_call::adopt);
    auto adopted = inner_->adopt(in, out);
    if (!adopted) return fail(adopted);
    if (fails) return fail(errc::no_resources);
    return watch(std::move(*adopted), book_);
  }
  void log(std::string_view line) noexcept override { inner_->log(line); }

 private:
  const std::unique_ptr<backend::process> inner_;
  ledger& book_;
  watched_names names_;
  watched_files files_;
  watched_impersonator impersonator_;
  watched_threads threads_;
  const alive counted_;
};

}  // namespace

std::unique_ptr<backend::process> make_faulty(std::unique_ptr<backend::process> inner, ledger& book) {
  return std::make_unique<watched_process>(std::move(inner), book);
}

}  // namespace tp::test
