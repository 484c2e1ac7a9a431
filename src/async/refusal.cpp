// A client that is told no.
#include "async/refusal.hpp"

#include <array>
#include <utility>

#include "async/runtime_state.hpp"

namespace tp::detail {
namespace {

constexpr std::size_t lingering_max = 16;
constexpr std::size_t discard_max = std::size_t{64} << 10;
constexpr duration linger = std::chrono::seconds(1);

class refusal final : public resident {
 public:
  refusal(runtime_state& runtime, backend::stream_ptr stream, std::vector<std::byte> words) noexcept
      : resident(runtime),
        stream_(std::move(stream)),
        words_(std::move(words)),
        write_(handler<&refusal::wrote>(), this),
        shutdown_(handler<&refusal::shut>(), this),
        read_(handler<&refusal::was_read>(), this) {
    ++runtime_.lingering_refusals;
    ++runtime_.unsaid_refusals;
  }
  ~refusal() override {
    --runtime_.lingering_refusals;
    have_said();
  }

  void begin() {
    vector_ = words_;
    write_.buffers = std::span(&vector_, 1);
    write_.deadline = read_.deadline = shutdown_.deadline = deadline_after(runtime_.now(), linger);
    if (stream_->write(write_) == backend::start::pending) return retain();
    wrote();
  }
  void evict() noexcept override { stream_->close(); }

 private:
  void wrote() {
    if (!write_.result.ok()) return stream_->close();
    if (stream_->shutdown(shutdown_) == backend::start::pending) return retain();
    shut();
  }

  // Where a stream has no half-close, the client's end tells us that it has read the words.
  void shut() {
    have_said();
    const errc code = shutdown_.result.code;
    code == errc::none || code == errc::not_supported ? read_on() : stream_->close();
  }

  void read_on() {
    for (;;) {
      read_.into = trash_;
      if (stream_->read(read_) == backend::start::pending) return retain();
      if (!goes_on()) return stream_->close();
    }
  }

  void was_read() { goes_on() ? read_on() : stream_->close(); }

  void have_said() noexcept {
    if (!std::exchange(said_, true)) --runtime_.unsaid_refusals;
  }

  [[nodiscard]] bool goes_on() noexcept {
    discarded_ += read_.n;
    return read_.result.ok() && read_.n > 0 && discarded_ < discard_max;
  }

  backend::stream_ptr stream_;
  std::vector<std::byte> words_;
  backend::const_buffer vector_;
  backend::write_op write_;
  backend::op shutdown_;
  backend::read_op read_;
  std::array<std::byte, 4096> trash_;
  std::size_t discarded_ = 0;
  bool said_ = false;
};

}  // namespace

void refuse_client(runtime_state& runtime, backend::stream_ptr stream, std::vector<std::byte> last_words) {
  if (runtime.lingering_refusals >= lingering_max) return;
  const ref<refusal> keep(new refusal(runtime, std::move(stream), std::move(last_words)));
  keep->begin();
  if (runtime.ending()) keep->evict();  // the words are on their way; nobody may wait for the client's end
}

}  // namespace tp::detail
