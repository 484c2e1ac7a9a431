// Calling something with a client's rights, for both kinds of connection.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "twinpipe/error.hpp"

namespace tp::detail {

class runtime_state;

template <class F>
concept client_callable = std::invocable<F> && requires { typename std::invoke_result_t<F>; };

/// A coroutine, or anything else that can be awaited, would go on after the client's identity was left.
template <class T>
concept resumable =
    requires { typename std::remove_cvref_t<T>::promise_type; } || requires(T&& t) { t.await_ready(); } ||
    requires(T&& t) { std::forward<T>(t).operator co_await(); } ||
    requires(T&& t) { operator co_await(std::forward<T>(t)); };

template <class T>
struct flattened {
  using type = result<T>;
};
template <class T>
struct flattened<result<T>> {
  using type = result<T>;
};

/// Leaves by the runtime: the callable may have moved or destroyed the connection.
class client_scope {
 public:
  explicit client_scope(runtime_state& runtime) noexcept : runtime_(runtime) {}
  client_scope(const client_scope&) = delete;
  client_scope& operator=(const client_scope&) = delete;
  ~client_scope();

 private:
  runtime_state& runtime_;
};

/// `entered`: the runtime of the client whose identity the thread has taken on, or why it hasn't.
template <class F>
auto call_as_client(const result<runtime_state*>& entered, F&& f)
    -> flattened<std::invoke_result_t<F>>::type {
  using value = std::invoke_result_t<F>;
  if (!entered) return std::unexpected(entered.error());
  const client_scope scope(**entered);
  if constexpr (std::is_void_v<value>) {
    std::forward<F>(f)();
    return {};
  } else {
    return std::forward<F>(f)();
  }
}

}  // namespace tp::detail
