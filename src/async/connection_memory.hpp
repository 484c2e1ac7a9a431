// What the connections of one runtime borrow while they need it, so that an idle one is small.
#pragma once

#include <memory_resource>
#include <tuple>

#include "async/connection_operations.hpp"
#include "async/drain_state.hpp"
#include "core/block_pool.hpp"
#include "core/inbound.hpp"
#include "core/outbound.hpp"

namespace tp::detail {

/// All of it, and the connections themselves, come from the memory resource of the process.
struct connection_memory {
  explicit connection_memory(std::pmr::memory_resource& from) noexcept
      : resource(from),
        read_blocks(from, kept),
        write_blocks(from, kept),
        control_items(from, kept),
        ops(from),
        reads(from),
        drain_states(from),
        operations(from, from, from, from, from) {}

  template <class Node>
  [[nodiscard]] node_pool<Node>& pool() noexcept {
    return std::get<node_pool<Node>>(operations);
  }

  static constexpr std::size_t kept = 16;

  std::pmr::memory_resource& resource;
  core::block_pool<core::read_block> read_blocks;
  core::block_pool<core::write_block> write_blocks;
  core::block_pool<core::outgoing> control_items;
  node_pool<lent_op::node> ops;
  node_pool<lent_read::node> reads;
  node_pool<drain_state> drain_states;
  std::tuple<node_pool<send_operation>, node_pool<receive_operation>, node_pool<shutdown_operation>,
             node_pool<drain_operation>, node_pool<close_operation>>
      operations;
};

}  // namespace tp::detail
