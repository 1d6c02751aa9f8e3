// Small exported programs made by hand, for tests.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "formats/pt2/pt2.h"

namespace etalon::frontend {

class ProgramMaker {
 public:
  using Sizes = std::vector<std::int64_t>;

  ProgramMaker() { model_.name = "model"; }

  ProgramMaker& input(const std::string& name, const Sizes& sizes) {
    formats::pt2::InputSpec spec;
    spec.arg.value = formats::pt2::TensorArg{name};
    model_.program.input_specs.push_back(spec);
    model_.program.graph.inputs.push_back(spec.arg);
    return tensor(name, sizes);
  }
  ProgramMaker& buffer(const std::string& name, const std::vector<float>& values) {
    formats::pt2::InputSpec spec;
    spec.kind = formats::pt2::InputKind::kBuffer;
    spec.arg.value = formats::pt2::TensorArg{"b_" + name};
    spec.target = name;
    model_.program.input_specs.push_back(spec);
    std::vector<std::byte>& bytes = data_[name];
    bytes.resize(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    formats::pt2::StoredTensor stored;
    stored.dtype = kFloat;
    stored.sizes = {static_cast<std::int64_t>(values.size())};
    stored.strides = {1};
    stored.payload = bytes;
    model_.weights[name] = stored;
    return tensor("b_" + name, stored.sizes);
  }
  // The type of a value, contiguous.
  ProgramMaker& tensor(const std::string& name, const Sizes& sizes) {
    formats::pt2::TensorMeta meta;
    meta.dtype = kFloat;
    std::int64_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0; stride *= sizes[i]) {
      meta.sizes.insert(meta.sizes.begin(), formats::pt2::SymInt{sizes[i], {}, {}});
      meta.strides.insert(meta.strides.begin(), formats::pt2::SymInt{stride, {}, {}});
    }
    model_.program.graph.tensor_values[name] = meta;
    return *this;
  }

  using Args = std::vector<formats::pt2::NamedArgument>;
  static formats::pt2::NamedArgument arg(const std::string& name, const std::string& value) {
    return {name, {formats::pt2::TensorArg{value}}, formats::pt2::ArgumentKind::kPositional};
  }
  static formats::pt2::NamedArgument arg(const std::string& name, std::int64_t value) {
    return {name, {formats::pt2::IntArg{value}}, formats::pt2::ArgumentKind::kPositional};
  }
  static formats::pt2::NamedArgument arg(const std::string& name, Sizes values) {
    return {name, {formats::pt2::IntsArg{std::move(values)}}, formats::pt2::ArgumentKind::kPositional};
  }
  ProgramMaker& node(const std::string& output, const std::string& target, Args args, const Sizes& sizes) {
    formats::pt2::Node node;
    node.name = output;
    node.target = "torch.ops." + target;
    node.inputs = std::move(args);
    node.outputs.push_back({formats::pt2::TensorArg{output}});
    node.metadata["stack_trace"] = "  File \"net.py\", line 7, in forward\n";
    model_.program.graph.nodes.push_back(std::move(node));
    return tensor(output, sizes);
  }
  ProgramMaker& output(const std::string& name) {
    formats::pt2::OutputSpec spec;
    spec.arg.value = formats::pt2::TensorArg{name};
    model_.program.graph.outputs.push_back(spec.arg);
    model_.program.output_specs.push_back(spec);
    return *this;
  }
  formats::pt2::Model& model() { return model_; }

 private:
  static constexpr std::int8_t kFloat = 6;  // c10

  formats::pt2::Model model_;
  std::map<std::string, std::vector<std::byte>> data_;
};

}  // namespace etalon::frontend
