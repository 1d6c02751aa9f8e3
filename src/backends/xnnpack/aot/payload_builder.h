// PayloadBuilder: the nodes of one delegate as an XNNGraph. What lowerings write into.
//
// A tensor of the graph is represented by a payload value, an order (layout.h) and the dims of that value in
// memory. The dims may differ from the tensor's (a linear layer does not mind whether its rows are [1, 197]
// or [197]): views and permutations only relabel, and nodes that rearrange are emitted when somebody asks for
// an order or dims that no representation has. Borders are the only places where layout is forced.
//
// A tensor that was dequantised may be held in int8, exactly (quantised.h). Such a tensor has a second name,
// whose type is int8: what can work on int8 reads and defines that (held(), moved(), quantised_result()), and
// everything that reads the tensor itself gets floats, by a Convert node where there are none yet.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "backends/xnnpack/aot/layout.h"
#include "backends/xnnpack/aot/lowering.h"
#include "backends/xnnpack/aot/quantised.h"
#include "formats/xnn/xnn.h"

namespace etalon::xnnpack {

namespace xnn = formats::xnn;
using ir::ValueId;

struct Rep {
  std::uint32_t id = xnn::kNoValue;
  DimOrder order;  // of the tensor's dims
  Shape dims;      // of the payload value
};

struct Limits {
  double min;
  double max;
};

// How a payload value holds its numbers; `affine` counts for int8 alone.
struct Storage {
  DType dtype = DType::kFloat32;
  Affine affine;

  Storage(DType type) : dtype(type) {}  // NOLINT: a dtype is a storage
  Storage(DType type, Affine quantised) : dtype(type), affine(quantised) {}
};

// Of integer constants: one scale per index of a dim, or a single one.
struct Scales {
  std::vector<float> values;
  std::optional<std::uint32_t> dim;
};

inline void limit(xnn::Node& node, Limits limits) {
  node.output_min = static_cast<float>(limits.min);
  node.output_max = static_cast<float>(limits.max);
}

struct Payload {
  xnn::Graph graph;
  std::vector<ir::NamedData> named_data;
};

class PayloadBuilder {
 public:
  // The graph of one delegate; its inputs, then its outputs, are the call's arguments.
  explicit PayloadBuilder(const ir::Graph& graph);

  // Nodes emitted from here on belong to this node of the graph.
  void begin(const ir::Node& node);
  // Gives the outputs their places. Nothing may be added afterwards.
  Payload finish();

  // What turned out not to be possible: the graph's node (its position) to leave outside, and why.
  struct Problem {
    std::size_t node;
    Refusal refusal;
  };
  const std::optional<Problem>& problem() const { return problem_; }

  // ---- reading ----
  // The tensor as it lies there: any order, any dims.
  Rep natural(ValueId id);
  // A representation of this kind, if there is one.
  std::optional<Rep> find(ValueId id, const DimOrder& order, const Shape& dims) const;
  // The tensor in an order that it already has, with its own dims.
  Rep exact(ValueId id);
  // The payload value of the tensor in this order, with its own dims.
  std::uint32_t get(ValueId id, const DimOrder& order);
  std::uint32_t plain(ValueId id) { return get(id, contiguous_order(type(id).sizes.size())); }
  std::uint32_t nhwc(ValueId id) { return get(id, channels_last()); }
  // The tensor in this order, in any dims whose last `kept` are the tensor's.
  Rep in_order_any_dims(ValueId id, const DimOrder& order, std::size_t kept);
  // True if the innermost dim of the tensor as it lies there is that of `order`, and not of the tensor's own
  // order.
  bool prefers(ValueId id, const DimOrder& order);
  // A representation whose innermost dim is `dim`, whole; made if there is none.
  Rep with_innermost(ValueId id, std::size_t dim);
  // The tensor seen with leading dims of size one up to the order's rank, to be broadcast against a tensor in
  // that order. Constants are converted to `dtype`, unless the tensor is int8.
  std::uint32_t broadcastable(ValueId id, const DimOrder& order, DType dtype);
  // What is known when exporting; weights are made floats.
  const ir::Constant* constant_of(ValueId id);
  const ir::TensorType& type(ValueId id) const;
  Storage storage(ValueId id) const;
  // The only node that reads the tensor; null if there are several or none, or if the graph returns it.
  const ir::Node* sole_user(ValueId id) const;
  bool is_used(ValueId id) const { return uses_[ir::index_of(id)] > 0; }
  const ir::Graph& graph() const { return graph_; }

  // ---- int8 ----
  // The name of the tensor in int8; kNoValue if it is not held so.
  ValueId held(ValueId id) const;
  // Says that a tensor of floats is the int8 tensor `source`, dequantised.
  void hold(ValueId id, ValueId source);
  // A new int8 name for a tensor, which becomes held.
  ValueId hold_new(ValueId id, Affine affine);
  // A new int8 name with the tensor's sizes, which nothing calls the tensor's.
  ValueId new_int8(ValueId like, Affine affine);
  // What an operator that only rearranges reads and defines: int8 names where its input is held so.
  struct Moved {
    ValueId in;
    ValueId out;
  };
  Moved moved(ValueId in, ValueId out);
  // The same for averages: int8 names if the input is held so and the result is quantised.
  Moved averaged(ValueId in, ValueId out);
  // How a tensor is quantised if nobody sees it before that, on the way perhaps through views and limits.
  struct Result {
    Affine affine;
    Limits limits;
    std::vector<const ir::Node*> limited_by;
  };
  std::optional<Result> quantised_result(ValueId out, bool with_limits) const;
  // Says that the tensor will be held in int8 like this, under the name that is given; the nodes that limit
  // it do nothing more.
  ValueId hold_result(ValueId out, const Result& result);
  // True of those nodes; pass_on() is all that is left for them to do.
  bool is_taken(const ir::Node& node) const { return taken_.contains(&node); }
  void pass_on(const ir::Node& node);
  // The current node, whose operands are quantised, computes in floats after all.
  void note_float(std::string why);
  struct FloatNote {
    std::size_t node;  // its position in the graph
    std::string why;
  };
  const std::vector<FloatNote>& float_notes() const { return float_notes_; }

  // ---- writing ----
  // Says that the tensor is this payload value.
  void define(ValueId id, Rep rep);
  // The same order and dims as a representation of another tensor, in a new payload value.
  std::uint32_t make_like(ValueId id, const Rep& like);
  // A new payload value for the tensor in this order, with its own dims.
  std::uint32_t make(ValueId id, const DimOrder& order);
  std::uint32_t make_plain(ValueId id) { return make(id, contiguous_order(type(id).sizes.size())); }
  // A payload value that is no tensor of the graph.
  std::uint32_t temporary(const Shape& dims, Storage storage);
  xnn::Node& emit(xnn::NodeType type, std::vector<std::uint32_t> inputs, std::uint32_t output,
                  xnn::Params params = {}, std::uint32_t flags = 0);
  // The same elements with other dims; no node if they are the same.
  std::uint32_t reshape(std::uint32_t id, const Shape& from, const Shape& to, Storage storage);
  std::uint32_t transpose(std::uint32_t id, const Shape& from, const DimOrder& order, Storage storage);
  // Limits the node that computes `in`, if it can be and nobody else sees `in`; `out` is then the same value.
  bool fuse_limits(ValueId in, ValueId out, Limits limits);

  // ---- constants ----
  std::uint32_t constant(ir::Data data, const Dims& dims, Storage storage);
  // Numbers rounded once to `dtype` (float32 or float16).
  std::uint32_t constant(const std::vector<double>& values, const Dims& dims, DType dtype);
  std::uint32_t scalar(double value, DType dtype) {
    return constant(std::vector<double>{value}, Dims{1}, dtype);
  }
  // Integers with zero points of zero.
  std::uint32_t constant(const std::vector<std::int8_t>& numbers, const Dims& dims, const Scales& scales);
  std::uint32_t constant(const std::vector<std::int32_t>& numbers, const Dims& dims, const Scales& scales);
  // Whose input a value quantised when running is.
  enum class DynamicReader : std::uint8_t { kProduct, kConvolution, kTransposedConvolution };
  // The rows of a payload value of floats in int8, each with a scale of its own, chosen when running. XNNPACK
  // turns them into unsigned numbers for the kernels of one kind of reader without asking the others, so only
  // readers of one kind share them.
  std::uint32_t dynamic_rows(std::uint32_t from, const Shape& dims, std::int32_t nonbatch_dims,
                             DynamicReader reader);

 private:
  std::vector<Rep>& reps_of(ValueId id) { return reps_[ir::index_of(id)]; }
  Rep constant_rep(ValueId id, const DimOrder& order);
  Rep with_exact_dims(ValueId id, Rep rep);
  Rep reordered(ValueId id, const Rep& from, const DimOrder& order);
  Rep dequantised(ValueId id, const Rep& from);
  bool becomes_table(ValueId id) const;
  void find_affines();
  bool is_own(ValueId id) const { return ir::index_of(id) >= graph_.values.size(); }
  std::uint32_t uses(ValueId id) const { return uses_[ir::index_of(id)]; }
  std::uint32_t add_value(const Dims& dims, Storage storage);
  std::uint32_t data(ir::Data data, std::string key);  // index into the payload's constants
  std::uint32_t typed_constant(ir::Data data, const Dims& dims, xnn::DataType type,
                               xnn::Quantization quantisation, const std::string& identity);
  std::uint32_t integers(ir::Data numbers, const Dims& dims, DType dtype, const Scales& scales);
  std::uint32_t output_value(ValueId id);

  const ir::Graph& graph_;
  Payload payload_;
  std::map<ValueId, Affine> affines_;       // of int8 names
  std::deque<ir::TensorType> own_types_;    // of the names that the graph does not have
  std::map<ValueId, ir::Constant> floats_;  // weights as floats, made when asked for
  std::map<std::tuple<std::uint32_t, std::int32_t, DynamicReader>, std::uint32_t>
      dynamic_;  // by payload value: its rows in int8
  std::map<std::pair<std::uint32_t, DType>, std::uint32_t>
      floats_of_;  // by payload value of int8: one more than that of its floats
  std::set<const ir::Node*> taken_;
  std::vector<FloatNote> float_notes_;
  std::vector<std::uint32_t> uses_;                           // of the graph's values
  std::vector<std::int32_t> last_user_;                       // by ValueId: index of the node, -1 for none
  std::vector<std::vector<Rep>> reps_;                        // by ValueId
  std::vector<ValueId> held_;                                 // by ValueId of the graph: the int8 name
  std::map<std::uint32_t, std::vector<ValueId>> tensors_of_;  // by payload value: what it stands for
  std::vector<std::int32_t> producer_;    // by payload value: index of the node, -1 for none
  std::vector<std::uint32_t> consumers_;  // by payload value
  std::map<std::pair<std::string, std::string>, std::uint32_t> constants_;  // by key, and dims with type
  std::map<std::string, std::uint32_t> keys_;                               // into the payload's constants
  std::uint32_t debug_handle_ = xnn::kNoDebugHandle;
  std::size_t current_ = 0;
  std::optional<Problem> problem_;
};

xnn::DataType data_type_of(DType dtype);
xnn::Quantization quantisation_of(const Storage& storage);
// XNNPACK has no rank 0.
inline Dims at_least_one_dim(const Dims& dims) { return dims.empty() ? Dims{1} : dims; }
// The limits that a node puts on its first argument, if that is all it does.
std::optional<Limits> limits_of(const ir::Graph& graph, const ir::Node& node);
// A constant's elements as doubles, in the order of the tensor's dims.
std::vector<double> elements_of(const ir::Constant& constant);
// The bytes of a constant rearranged so that its dims lie in this order.
ir::Data in_order(const ir::Constant& constant, const DimOrder& order);

}  // namespace etalon::xnnpack
