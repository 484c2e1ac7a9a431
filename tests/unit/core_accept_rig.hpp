// A server on the twin of paper: an endpoint, listeners on it, and clients that say what a test lets them
// say.
#pragma once

#include "async/endpoint_state.hpp"
#include "async/listener_state.hpp"
#include "core_rig.hpp"
#include "twinpipe/listener.hpp"

namespace tp::test {

/// An acceptor that gives the clients of a backlog, one for each accept.
class played_acceptor {
 public:
  explicit played_acceptor(paper_system& system, std::deque<played_stream*>& backlog);

  mock_acceptor mock;
  std::deque<errc> errors;  ///< answered before the next client
  backend::accept_op* accepting = nullptr;
  bool closed = false;
  bool released = false;
  bool cancel_meets_client = false;  ///< a cancelled accept gets the next client all the same
  /// Asked at every accept; a code other than none is its answer.
  std::function<errc()> fault = [] { return errc::none; };
  when fault_at = when::now;

  /// A client has come, or an error was put into `errors`: for the accept that is pending.
  void wake();

 private:
  backend::start on_accept(backend::accept_op& op);
  void on_cancel(backend::op& op);
  void on_close();
  bool serve(backend::accept_op& op);

  paper_system& system_;
  std::deque<played_stream*>& backlog_;
  errc code_ = errc::none;
  std::vector<std::unique_ptr<trompeloeil::expectation>> expectations_;
};

class server_rig : public core_rig {
 public:
  explicit server_rig(endpoint_options options = {});
  ~server_rig() override;

  std::shared_ptr<mock_bound_name> bound = std::make_shared<mock_bound_name>();
  std::shared_ptr<detail::endpoint_owner> endpoint;
  std::deque<played_stream*> backlog;
  errc attach_fails = errc::none;

  /// A client connects and says this much; the accept that waits for it is woken.
  played_stream& client(byte_vector says = {});
  /// The two halves of that, for a client that is somebody special.
  played_stream& client_to_be();
  void arrive(played_stream& client);
  [[nodiscard]] listener listen();
  [[nodiscard]] played_acceptor& acceptor(std::size_t which = 0) { return *acceptors_[which]; }
  void wake();
  [[nodiscard]] endpoint_statistics numbers() const { return endpoint->state()->statistics(); }

  /// The hello of a client in byte mode that is content with everything.
  [[nodiscard]] static byte_vector hello(const connect_options& options = {});
  /// The status of the reply that the client was given; none if it isn't a reply.
  [[nodiscard]] static std::optional<wire::reply_status> reply_to(const played_stream& client);

 private:
  result<backend::stream_ptr> attach(backend::detached_ptr stream);
  std::deque<std::unique_ptr<played_acceptor>> acceptors_;
  std::vector<std::unique_ptr<trompeloeil::expectation>> expectations_;
};

using accepted = awaited<result<connection>>;

}  // namespace tp::test
