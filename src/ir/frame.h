// Frame: a node's arguments and outputs as an ops::Call, so that graphs can infer, cost and evaluate operators.
#pragma once

#include <deque>
#include <vector>

#include "ir/graph.h"
#include "ops/op.h"

namespace etalon::ir {

// Which of the two assignments of symbolic sizes to look at.
enum class Assignment : std::uint8_t { kMax, kProbe };

// Holds the storage that the Call's values point to. Tensors have no data unless they are constants (whose bytes are
// borrowed from the graph, read-only) or bind() was called. Not copyable.
class Frame {
 public:
  // `args` in the order of the functional schema. The graph and the arguments must outlive the frame.
  Frame(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args, Assignment assignment);
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Checks the arguments' kinds against the schema.
  Status check() const;
  ops::Call call(std::span<std::byte> scratch = {}) const { return {arg_pointers_, out_pointers_, scratch}; }

  // Gives the call outputs: for an operator that returns a list, one list of all of them.
  void add_out(TensorView view);
  void add_number_out();
  void finish_outs();
  const ops::Value& out_value(std::size_t i) const { return outs_[i]; }

  bool all_tensors_have_data() const { return all_have_data_; }

 private:
  ops::Value convert(const Arg& arg);
  ops::Value convert_int_items(const IntItems& items);
  TensorView* tensor_of(ValueId id);
  ops::Value number_of(ValueId id) const;

  const Graph& graph_;
  const ops::Op& op_;
  Assignment assignment_;
  bool all_have_data_ = true;
  std::deque<TensorView> tensors_;
  std::deque<std::vector<std::int64_t>> int_lists_;
  std::deque<std::vector<TensorView*>> tensor_lists_;
  std::deque<std::vector<char>> bool_lists_;
  std::vector<ops::Value> args_;
  std::vector<const ops::Value*> arg_pointers_;
  std::vector<TensorView*> out_tensors_;
  std::deque<ops::Value> outs_;
  std::vector<ops::Value*> out_pointers_;
};

// What an operator gives for these arguments: one type per return, or one per item of a returned list.
// kInvalidInput names the operator and what is wrong with the arguments.
Result<std::vector<Type>> infer_types(const Graph& graph, const ops::Op& op, const std::vector<Arg>& args);

// Work of one node at the upper-bound shapes.
struct NodeCost {
  std::int64_t flops = 0;
  std::int64_t read_bytes = 0;
  std::int64_t written_bytes = 0;
};
NodeCost cost_of(const Graph& graph, const Node& node);

// Computes a node whose tensor arguments are all constants (static, not state).
// kInvalidInput if an argument is not known at export, or the kernel's own error.
Result<std::vector<Constant>> evaluate(const Graph& graph, const Node& node);

}  // namespace etalon::ir
