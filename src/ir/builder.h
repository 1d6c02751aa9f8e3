// Builder: appends operators to a graph, inferring what they give. The way importers and decompositions make nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace etalon::ir {

class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }

  // New nodes get this origin, and names derived from `source_name`.
  void set_origin(Origin origin) { origin_ = std::move(origin); }
  // New nodes stand for these nodes of the graph before lowering.
  void set_debug_handles(std::vector<std::uint32_t> handles) { debug_handles_ = std::move(handles); }
  const Origin& origin() const { return origin_; }
  // Nodes are inserted before this position instead of appended (for passes); -1 appends.
  void set_insertion_point(std::ptrdiff_t position) { position_ = position; }
  std::ptrdiff_t insertion_point() const { return position_; }

  // Calls a registered operator by functional name ("aten::add.Tensor"). Missing trailing arguments take the schema's
  // defaults, a single int where a list of fixed length is wanted is repeated, an int where a float is wanted is converted.
  // Errors: kUnsupported (no such operator), kInvalidInput (wrong arguments), naming the operator.
  Result<ValueIds> call_all(std::string_view op, std::vector<Arg> args);
  // The same, for the first output.
  Result<ValueId> call(std::string_view op, std::vector<Arg> args);

  // A literal tensor.
  ValueId scalar_tensor(double value, DType dtype);
  ValueId int_tensor(std::span<const std::int64_t> values, const Dims& sizes, DType dtype = DType::kInt64);

  // The size of a dim as an item for int lists: a literal where it is static, else a sym_size node.
  Result<IntItem> size_item(ValueId tensor, std::size_t dim);
  Result<IntItems> size_items(ValueId tensor);

  const TensorType& type(ValueId id) const { return graph_[id].tensor(); }

 private:
  Graph& graph_;
  Origin origin_;
  std::vector<std::uint32_t> debug_handles_;
  std::ptrdiff_t position_ = -1;
  std::uint32_t literal_count_ = 0;
};

// Fills defaults and applies torch's implicit conversions. kInvalidInput if a required argument is missing.
Status complete_args(const ops::Schema& schema, std::vector<Arg>& args);

// The default of a schema argument as a graph argument.
Result<Arg> default_arg(const ops::SchemaArg& arg);

// A constant's element as a double, for patterns that look at literals. `index` in storage order.
double element_as_double(const Constant& constant, std::size_t index);

}  // namespace etalon::ir
