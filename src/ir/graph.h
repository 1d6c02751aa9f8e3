// The graph between import and emission: operators of the registry in functional form, in execution order.
//
// Values and nodes are named by strong ids into vectors; nothing is ever null and ids never dangle, because nodes and
// values are only removed together, by Graph::compact(). A graph is functional: no node changes a value. State that a
// model updates is a constant with `is_state`, and an Output of kind kStateUpdate says with what.
//
// Dynamic shapes: every size is known twice, at its upper bound (`sizes`, what memory is planned for) and under a second
// assignment of the symbols (`probe`). A dim is dynamic exactly where the two differ, and shape inference simply runs for both.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "ops/registry.h"
#include "tensor/dims.h"

namespace etalon::ir {

enum class ValueId : std::uint32_t {};
enum class NodeId : std::uint32_t {};
enum class ConstantId : std::uint32_t {};
inline constexpr ValueId kNoValue{0xFFFFFFFFu};
inline constexpr std::size_t index_of(ValueId id) { return static_cast<std::size_t>(id); }
inline constexpr std::size_t index_of(NodeId id) { return static_cast<std::size_t>(id); }
inline constexpr std::size_t index_of(ConstantId id) { return static_cast<std::size_t>(id); }

struct TensorType {
  DType dtype = DType::kFloat32;
  Dims sizes;      // upper bound
  Dims probe;      // under the second assignment; equals sizes where static
  DimOrder order;  // dims from outermost to innermost in memory

  static TensorType of(DType dtype, const Dims& sizes) {
    return {dtype, sizes, sizes, contiguous_order(sizes.size())};
  }
  bool is_dynamic() const { return !(sizes == probe); }
  bool is_dynamic(std::size_t dim) const { return sizes[dim] != probe[dim]; }
  std::int64_t nbytes() const { return numel(sizes) * static_cast<std::int64_t>(size_of(dtype)); }
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

// A number computed at run time (a symbolic size, a sum of sizes).
struct NumberType {
  enum class Kind : std::uint8_t { kInt, kFloat, kBool };
  Kind kind = Kind::kInt;
  double max = 0;    // under the upper-bound assignment; integers up to 2^53 are exact
  double probe = 0;  // under the second one
  friend bool operator==(const NumberType&, const NumberType&) = default;
};

using Type = std::variant<TensorType, NumberType>;

// Bytes that are borrowed (a mapped file, which whoever holds the graph keeps open) or owned. Owned bytes never change
// and are shared by copies, because a weight may stand in several methods, in a delegate and in what it was made from.
class Data {
 public:
  Data() = default;
  static Data borrowed(Bytes bytes) {
    Data data;
    data.view_ = bytes;
    return data;
  }
  static Data owned(std::vector<std::byte> bytes) {
    Data data;
    data.owner_ = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    data.view_ = *data.owner_;
    return data;
  }
  Bytes bytes() const { return view_; }

 private:
  Bytes view_;
  std::shared_ptr<const std::vector<std::byte>> owner_;
};

// A parameter, buffer or literal tensor: dense, in the type's dim order.
struct Constant {
  std::string name;  // fully qualified ("features.0.weight"), or made up for literals
  TensorType type;
  Data data;
  bool is_parameter = false;
  bool is_state = false;  // updated by the model: lives in planned memory, with `data` as its first contents
};

enum class ValueSource : std::uint8_t { kInput, kConstant, kNode };

struct Value {
  std::string name;  // unique in the graph; the exporter's name where it has one
  Type type;
  ValueSource source = ValueSource::kNode;
  std::uint32_t source_index = 0;  // into inputs, constants or nodes

  bool is_tensor() const { return std::holds_alternative<TensorType>(type); }
  const TensorType& tensor() const { return std::get<TensorType>(type); }
  TensorType& tensor() { return std::get<TensorType>(type); }
  const NumberType& number() const { return std::get<NumberType>(type); }
};

// An item of an int list: a literal, or a number computed at run time.
struct IntItem {
  std::int64_t value = 0;
  ValueId symbol = kNoValue;
  friend bool operator==(const IntItem&, const IntItem&) = default;
};
using IntItems = std::vector<IntItem>;
using ValueIds = std::vector<ValueId>;  // kNoValue is None

// An argument of a node: None, a literal, a value, or a list. dtype, layout and memory format are their c10 numbers.
using Arg = std::variant<std::monostate, bool, std::int64_t, double, std::string, ValueId, IntItems,
                         std::vector<double>, std::vector<bool>, ValueIds>;
inline const Arg kNone{};

inline IntItems literal_ints(std::span<const std::int64_t> values) {
  IntItems items;
  for (const std::int64_t value : values) items.push_back({value, kNoValue});
  return items;
}
inline IntItems literal_ints(std::initializer_list<std::int64_t> values) {
  return literal_ints(std::span<const std::int64_t>(values.begin(), values.size()));
}

// Where a node comes from in the user's program; nodes made by a decomposition inherit it.
struct Origin {
  std::string stack_trace;    // Python's, innermost frame last
  std::string module_stack;   // torch's nn_module_stack text
  std::string source_op;      // "aten::conv2d" as exported
  std::string source_name;    // the exporter's node name
};

struct Node {
  const ops::Op* op = nullptr;
  std::vector<Arg> args;  // one per argument of the functional schema, defaults filled in
  ValueIds outs;          // one per return; for an operator that returns a list, one per item
  Origin origin;
  bool dead = false;      // removed by the next compact()
  // The nodes of the graph before lowering that this one stands for (see number_nodes()); empty: not numbered, or new.
  std::vector<std::uint32_t> debug_handles;
};

struct Input {
  ValueId value = kNoValue;
  std::string name;
};

struct Output {
  enum class Kind : std::uint8_t { kUser, kStateUpdate };
  Kind kind = Kind::kUser;
  Arg value;            // a ValueId, or a literal that the model returns (int, bool, double, None)
  ConstantId state{};   // kStateUpdate: which constant takes the value after each run
};

struct Delegate;

struct Graph {
  std::string method = "forward";
  std::vector<Value> values;
  std::vector<Node> nodes;  // in execution order
  std::vector<Constant> constants;
  std::vector<Input> inputs;
  std::vector<Output> outputs;  // state updates first, then user outputs
  std::vector<Delegate> delegates;  // what the executorch_call_delegate nodes call
  std::string in_spec;          // pytree specs, JSON
  std::string out_spec;

  Value& operator[](ValueId id) { return values[index_of(id)]; }
  const Value& operator[](ValueId id) const { return values[index_of(id)]; }
  const Constant* constant_of(ValueId id) const;

  ValueId add_input(std::string name, Type type);
  // Adds the constant and the value that stands for it.
  ValueId add_constant(Constant constant);
  ValueId add_value(std::string name, Type type, NodeId producer);

  // Makes every use of `from` (in nodes and outputs) a use of `to`.
  void replace_uses(ValueId from, ValueId to);
  // How often each value is used by live nodes and outputs.
  std::vector<std::uint32_t> use_counts() const;
  // Drops dead nodes, values that nothing defines any more and constants without uses, renumbering ids.
  void compact();
};

// Bytes that a delegate's payload finds by key, stored once per program.
struct NamedData {
  std::string key;
  Data data;
};

// A part of a graph that a backend runs as one call. The call is a node with call_delegate_op(): which delegate, then the
// inputs; its outputs are the delegate's.
struct Delegate {
  std::string backend;      // "XnnpackBackend"
  std::vector<std::byte> payload;
  std::vector<NamedData> named_data;
  std::vector<Type> out_types;
  std::string listing;      // the payload for people, a line per node
  Graph lowered;            // what the payload computes; without nodes in a graph that was parsed
};

// executorch_call_delegate(int delegate, Tensor[] inputs) -> Tensor[]. In graphs only: programs have an instruction for it.
const ops::Op& call_delegate_op();
inline bool is_delegate_call(const ops::Op& op) { return &op == &call_delegate_op(); }
// The delegate that a call names; null if there is none of this number.
const Delegate* delegate_of(const Graph& graph, const std::vector<Arg>& args);

// Numbers the nodes from 1 in order, so that what they are lowered to can be traced back.
void number_nodes(Graph& graph);

// Calls `visit(ValueId&)` for each value an argument refers to (None items are passed over).
template <class ArgType, class Visit>
void for_each_value(ArgType& arg, Visit&& visit) {
  if (auto* id = std::get_if<ValueId>(&arg)) {
    if (*id != kNoValue) visit(*id);
  } else if (auto* items = std::get_if<IntItems>(&arg)) {
    for (auto& item : *items) {
      if (item.symbol != kNoValue) visit(item.symbol);
    }
  } else if (auto* ids = std::get_if<ValueIds>(&arg)) {
    for (auto& item : *ids) {
      if (item != kNoValue) visit(item);
    }
  }
}

}  // namespace etalon::ir
