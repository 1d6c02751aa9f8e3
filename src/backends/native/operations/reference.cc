// Nodes without a fast kernel, computed plainly by one thread.
#include <vector>

#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

class ReferenceOperation final : public Operation {
 public:
  explicit ReferenceOperation(const xnn::Node& node) : node_(node) {}

  void run(const RunContext& context, unsigned worker, unsigned) const override {
    if (worker != 0) return;
    reference::TensorRef inputs[kMaxTensors];
    reference::TensorRef outputs[kMaxTensors];
    refer(context, inputs_, inputs);
    refer(context, outputs_, outputs);
    reference::run_node(node_, {inputs, inputs_.size()}, {outputs, outputs_.size()});
  }

  static constexpr std::size_t kMaxTensors = 8;
  struct Tensor {
    reference::TensorType type;
    Operand at;
    bool is_missing = false;
  };
  std::vector<Tensor> inputs_, outputs_;

 private:
  static void refer(const RunContext& context, const std::vector<Tensor>& tensors,
                    reference::TensorRef* refs) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (!tensors[i].is_missing) refs[i] = {&tensors[i].type, context.at<std::byte>(tensors[i].at)};
    }
  }

  xnn::Node node_;
};

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Reference& reference) {
  auto operation = std::make_unique<ReferenceOperation>(reference.node);
  if (node.inputs.size() > ReferenceOperation::kMaxTensors ||
      node.outputs.size() > ReferenceOperation::kMaxTensors) {
    return unsupported("a node with so many tensors");
  }
  auto& evidence = operation->evidence;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) {
      operation->inputs_.push_back({{}, {}, true});
      continue;
    }
    operation->inputs_.push_back({builder.value(id).tensor_type(), builder.contiguous_input(id).at, false});
    evidence.bytes += static_cast<std::int64_t>(reference::storage_bytes(operation->inputs_.back().type));
  }
  for (const ValueId id : node.outputs) {
    operation->outputs_.push_back({builder.value(id).tensor_type(), builder.output(id).at, false});
    evidence.bytes += static_cast<std::int64_t>(reference::storage_bytes(operation->outputs_.back().type));
  }
  set_isa(evidence, kernels::Isa::kScalar, builder.settings(),
          "no kernel for this node and its data types yet");
  evidence.kernel = "reference_" + std::string(xnn::name_of(reference.node.type));
  evidence.shape =
      shape_text(node.inputs.empty() || node.inputs[0] == kNoValue ? Dims{} : builder.dims(node.inputs[0]),
                 builder.dims(node.output()));
  builder.add(std::move(operation), node);
  return {};
}

}  // namespace etalon::native
