// Turns a rewritten graph into a Plan. Lowering functions (operations/*.cc) ask it where values lie, demand
// layouts, and add operations; it inserts copies where a layout is demanded that a value does not have.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/native/graph.h"
#include "backends/native/layout.h"
#include "backends/native/packed_weights.h"
#include "backends/native/plan.h"
#include "backends/native/settings.h"

namespace etalon::native {

class PlanBuilder {
 public:
  // All of it must outlive the builder; constants of the graph must outlive the plan.
  PlanBuilder(const Graph& graph, const Settings& settings, PackedWeights& packed);

  // Lowers every node. Errors: kUnsupported (a node that nothing can compute), kResource (over the memory
  // limit).
  Result<std::unique_ptr<Plan>> build();

  const Settings& settings() const { return settings_; }
  const Value& value(ValueId id) const { return graph_.values[id]; }
  const Dims& dims(ValueId id) const { return graph_.values[id].dims; }

  // Where an input lies; strides may be any (a transposed view, a slice of something wider).
  Placement input(ValueId id);
  // The same elements row-major without gaps; copied before, if need be, once for all who ask.
  Placement contiguous_input(ValueId id);
  // As contiguous_input(), but rows of the last dim may be further apart than they are long.
  Placement row_input(ValueId id, std::int64_t& row_stride);

  // A matrix, or many: elements of the last but one dim are adjacent. Copied if need be.
  Placement column_input(ValueId id);

  // Where an output is to be written. `wanted` are strides of a dense tensor, used if the place is free to
  // choose.
  Placement output(ValueId id, const Dims* wanted = nullptr);
  // output() would heed `wanted`.
  bool output_is_free(ValueId id) const {
    return !value(id).is_output && homes_[id].whole == kNoValue && !placements_[id].has_value();
  }
  // Makes an output a view of memory that exists, if nothing demands that it be elsewhere.
  bool try_alias(ValueId id, const Placement& placement);
  // Memory for one operation only.
  Operand temporary(std::size_t bytes);
  // Lets `output` take over the memory of `input` if that is not needed afterwards; same layout and size is
  // up to the caller.
  void allow_in_place(const Placement& output, const Placement& input);

  // Data that is packed before the plan first runs; *where is set then.
  void pack(std::string key, std::size_t bytes, std::function<void(std::byte*)> pack, const void** where);

  // Appends an operation that does the work of `node` and uses what was asked for since the last one. The
  // label, debug handles and threads of its evidence are filled in here.
  void add(std::unique_ptr<Operation> operation, const Node& node);
  // Appends a copy between two layouts of the same dims and element size. `work` is the node that wants it, or null.
  void add_copy(const Placement& from, const Placement& to, const Dims& dims, std::size_t element_bytes,
                std::string label, const Node* work);

 private:
  enum class StorageKind : std::uint8_t { kArena, kExternal, kFixed };
  struct Storage {
    StorageKind kind = StorageKind::kArena;
    std::size_t bytes = 0;
    std::uint32_t first = 0xFFFFFFFFu, last = 0;
    const std::byte* fixed = nullptr;
    std::uint32_t argument = 0;
    std::uint32_t merged_into = 0xFFFFFFFFu;
  };
  // A value that is to be written as a part of another: of a concatenation, or as a reshaped output.
  struct Home {
    ValueId whole = kNoValue;
    std::int64_t index = 0;  // along `axis` of the whole
    std::size_t axis = 0;
    bool is_reshape = false;
  };

  void find_homes();
  void prefer_order(const Node& transpose);
  void offer_home(ValueId part, const Home& home, bool must_be_dense);
  bool has_contiguous_home(ValueId whole) const;
  bool part_is_contiguous(ValueId whole, std::size_t axis) const;
  std::uint32_t add_storage(Storage storage);
  Placement new_placement(ValueId id, const Dims* wanted);
  std::size_t storage_bytes(ValueId id) const;
  void note_use(std::uint32_t storage);
  Status place_memory(Plan& plan);
  void merge_in_place();
  void number_labels(Plan& plan) const;

  const Graph& graph_;
  const Settings& settings_;
  PackedWeights& packed_;
  std::unique_ptr<Plan> plan_;
  std::vector<Storage> storages_;
  std::vector<std::optional<Placement>> placements_;  // by value
  std::vector<std::optional<Placement>> contiguous_;  // by value: a copy made for those who need one
  std::vector<Home> homes_;                           // by value
  std::vector<std::optional<Dims>> preferred_;        // by value: strides that suit its only reader
  std::vector<std::uint32_t> pending_;                // storages used by the operation being lowered
  struct InPlace {
    std::uint32_t output, input, operation;
  };
  std::vector<InPlace> in_place_;
  struct Fixup {
    std::uint32_t id;
    const void** where;
  };
  std::vector<Fixup> fixups_;
};

// One per kind of node, in operations/.
Status lower(PlanBuilder&, const Node&, const Conv&);
Status lower(PlanBuilder&, const Node&, const Unary&);
Status lower(PlanBuilder&, const Node&, const Binary&);
Status lower(PlanBuilder&, const Node&, const Softmax&);
Status lower(PlanBuilder&, const Node&, const Matmul&);
Status lower(PlanBuilder&, const Node&, const Attention&);
Status lower(PlanBuilder&, const Node&, const Pool&);
Status lower(PlanBuilder&, const Node&, const GlobalAverage&);
Status lower(PlanBuilder&, const Node&, const Transpose&);
Status lower(PlanBuilder&, const Node&, const Reshape&);
Status lower(PlanBuilder&, const Node&, const Slice&);
Status lower(PlanBuilder&, const Node&, const Concatenate&);
Status lower(PlanBuilder&, const Node&, const LayerNorm&);
Status lower(PlanBuilder&, const Node&, const Convert&);
Status lower(PlanBuilder&, const Node&, const Qs8Conv&);
Status lower(PlanBuilder&, const Node&, const Qs8Binary&);
Status lower(PlanBuilder&, const Node&, const Qs8Table&);
Status lower(PlanBuilder&, const Node&, const Qs8MaxPool&);
Status lower(PlanBuilder&, const Node&, const Qs8GlobalAverage&);
Status lower(PlanBuilder&, const Node&, const Qs8Attention&);
Status lower(PlanBuilder&, const Node&, const Quantise&);
Status lower(PlanBuilder&, const Node&, const Dequantise&);
Status lower(PlanBuilder&, const Node&, const QuantiseRows&);
Status lower(PlanBuilder&, const Node&, const Qd8Conv&);
Status lower(PlanBuilder&, const Node&, const Reference&);

// A pooling window as kernels see it.
kernels::PoolShape shape_of(const Pool& pool, const Dims& in, const Dims& out);

}  // namespace etalon::native
