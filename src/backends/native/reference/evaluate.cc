#include "backends/native/reference/evaluate.h"

#include "backends/native/shapes.h"
#include "fmt/format.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;

class Evaluation {
 public:
  Evaluation(const xnn::Graph& graph, const ConstantLookup& lookup) : graph_(graph), lookup_(lookup) {}

  Result<Tensors> run(const Tensors& inputs) {
    for (const xnn::Value& value : graph_.values) {
      ETALON_CHECKED(add(value, inputs), fmt::format("value {}", value.id));
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      ETALON_CHECKED(run(graph_.nodes[i]), fmt::format("node {}", i));
    }
    Tensors out;
    for (const xnn::Value& value : graph_.values) {
      if (value.is_output()) out[value.external_id] = std::move(tensors_.at(value.id));
    }
    return out;
  }

 private:
  Status add(const xnn::Value& value, const Tensors& inputs) {
    Tensor tensor;
    tensor.type.type = value.type;
    ETALON_TRY(tensor.type.quantisation, resolve_quantisation(graph_, value, lookup_));
    if (value.constant != 0) {
      ETALON_TRY(tensor.type.dims, dims_of(value));
      ETALON_TRY(const Bytes bytes,
                 constant_bytes(graph_, value.constant, storage_bytes(tensor.type), lookup_));
      tensor.bytes.assign(bytes.begin(), bytes.end());
    } else if (value.is_input()) {
      const auto given = inputs.find(value.external_id);
      if (given == inputs.end()) return invalid_input(fmt::format("input {} is missing", value.external_id));
      tensor.type.dims = given->second.type.dims;
      ETALON_CHECKED(check_size(tensor.type.dims));
      tensor.bytes = given->second.bytes;
      if (tensor.bytes.size() < storage_bytes(tensor.type)) {
        return invalid_input(fmt::format("input {} has {} bytes, want {}", value.external_id,
                                         tensor.bytes.size(), storage_bytes(tensor.type)));
      }
    }
    tensors_[value.id] = std::move(tensor);
    return {};
  }

  Status run(const xnn::Node& node) {
    std::vector<const TensorType*> input_types, output_types;
    std::vector<Dims> input_dims, output_dims(node.outputs.size());
    for (const std::uint32_t id : node.inputs) {
      input_types.push_back(id == xnn::kNoValue ? nullptr : &tensors_.at(id).type);
      input_dims.push_back(id == xnn::kNoValue ? Dims() : tensors_.at(id).type.dims);
    }
    ETALON_CHECKED(infer_outputs(node, input_dims, output_dims));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      TensorType& type = tensors_.at(node.outputs[i]).type;
      type.dims = output_dims[i];
      output_types.push_back(&type);
    }
    ETALON_CHECKED(check_node(node, input_types, output_types));
    std::vector<TensorRef> inputs, outputs;
    for (const std::uint32_t id : node.inputs) {
      inputs.push_back(id == xnn::kNoValue ? TensorRef() : ref(tensors_.at(id)));
    }
    for (const std::uint32_t id : node.outputs) {
      Tensor& tensor = tensors_.at(id);
      tensor.bytes.resize(storage_bytes(tensor.type));
      outputs.push_back(ref(tensor));
    }
    run_node(node, inputs, outputs);
    return {};
  }

  static TensorRef ref(Tensor& tensor) { return {&tensor.type, tensor.bytes.data()}; }

  const xnn::Graph& graph_;
  const ConstantLookup& lookup_;
  std::map<std::uint32_t, Tensor> tensors_;  // by value id
};

}  // namespace

Result<Tensors> evaluate(const xnn::Graph& graph, const ConstantLookup& lookup, const Tensors& inputs) {
  return Evaluation(graph, lookup).run(inputs);
}

}  // namespace etalon::native::reference
