// A channel that belongs to no thread.
#include <utility>

#include "channel_posix.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

class detached_channel final : public backend::detached_stream {
 public:
  explicit detached_channel(channel_ptr given) noexcept : held(std::move(given)) {}
  const identity& peer() const noexcept override { return held->peer(); }

  channel_ptr held;
};
static_assert(backend::implements<detached_channel, backend::detached_stream>);

}  // namespace

backend::detached_ptr detach(channel_ptr held) {
  return std::make_unique<detached_channel>(std::move(held));
}

channel_ptr take_channel(backend::detached_ptr stream) {
  auto* ours = dynamic_cast<detached_channel*>(stream.get());
  return ours == nullptr ? nullptr : std::move(ours->held);
}

}  // namespace tp::platform
