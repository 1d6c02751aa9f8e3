// Decides which values of a graph share memory, before it is planned.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emit/memory_plan.h"
#include "ir/graph.h"

namespace etalon::emit {

struct StorageOptions {
  bool elide_views = true;  // static views become a second tensor on the same memory, without an instruction
  bool in_place = true;     // elementwise results may take the memory of an argument that dies there
};

// Where each value's bytes are. Numbers have no place.
struct ValuePlace {
  enum class Kind : std::uint8_t { kNone, kPlanned, kConstant };
  Kind kind = Kind::kNone;
  std::uint32_t index = 0;  // into storages, or a ConstantId
};

struct StorageMap {
  std::vector<ValuePlace> places;       // by ValueId
  std::vector<Storage> storages;        // lifetimes in node positions; inputs start at 0, outputs live to the end
  std::vector<bool> elided;             // by NodeId: a view without an instruction
  std::vector<bool> runtime_view;       // by NodeId: a view of dynamic shape, executorch_prim::et_view
  std::uint32_t in_place_count = 0;
};

// The graph must be compact and verified.
StorageMap map_storage(const ir::Graph& graph, const StorageOptions& options);

}  // namespace etalon::emit
