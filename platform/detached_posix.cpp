// A connected socket that belongs to no thread.
#include <utility>

#include "connected_socket_posix.hpp"

namespace tp::platform {
namespace {

class detached_socket final : public backend::detached_stream {
 public:
  explicit detached_socket(socket_ptr held) noexcept : socket(std::move(held)) {}
  const identity& peer() const noexcept override { return socket->peer(); }

  socket_ptr socket;
};

}  // namespace

backend::detached_ptr detach(socket_ptr socket) {
  return std::make_unique<detached_socket>(std::move(socket));
}

socket_ptr take_socket(backend::detached_ptr stream) {
  auto* ours = dynamic_cast<detached_socket*>(stream.get());
  return ours == nullptr ? nullptr : std::move(ours->socket);
}

}  // namespace tp::platform
