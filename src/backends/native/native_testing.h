// For tests of the engine: graphs in a few lines, run by the engine and by the plain nodes.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "backends/native/import.h"
#include "backends/native/native_backend.h"
#include "backends/native/reference/evaluate.h"
#include "backends/native/rewrites/rewrite.h"
#include "formats/xnn/xnn.h"

namespace etalon::native::testing {

namespace xnn = formats::xnn;
using xnn::NodeType;

inline constexpr float kInf = std::numeric_limits<float>::infinity();

// Numbers that look random and are the same everywhere.
inline std::vector<float> drawn(std::size_t count, std::uint32_t seed, float low = -1, float high = 1) {
  std::vector<float> out(count);
  std::uint32_t state = seed * 2654435761u + 12345u;
  for (float& x : out) {
    state = state * 1664525u + 1013904223u;
    x = low + (high - low) * static_cast<float>(state >> 8) / 16777216.0f;
  }
  return out;
}

// float32 graphs. Arguments are the inputs in order, then the outputs.
class GraphBuilder {
 public:
  std::uint32_t input(const std::vector<std::uint32_t>& dims) {
    const std::uint32_t id = value(dims);
    graph.values[id].flags = xnn::kExternalInput;
    graph.input_ids.push_back(id);
    number_arguments();
    return id;
  }
  std::uint32_t constant(const std::vector<std::uint32_t>& dims, std::vector<float> data) {
    const std::uint32_t id = value(dims);
    storage_.push_back(std::move(data));
    xnn::ConstantData entry;
    entry.inline_data = std::as_bytes(std::span<const float>(storage_.back()));
    entry.size = entry.inline_data.size();
    graph.values[id].constant = static_cast<std::uint32_t>(graph.constants.size());
    graph.constants.push_back(entry);
    return id;
  }
  std::uint32_t weights(const std::vector<std::uint32_t>& dims) {
    std::size_t count = 1;
    for (const std::uint32_t size : dims) count *= size;
    return constant(dims, drawn(count, ++seed_, -0.5f, 0.5f));
  }
  std::uint32_t number(float x) { return constant({1}, {x}); }
  // Of another data type.
  std::uint32_t constant_bytes(const std::vector<std::uint32_t>& dims, xnn::DataType type, xnn::Quantization scales,
                               const std::vector<std::byte>& data) {
    std::vector<float> aligned((data.size() + sizeof(float) - 1) / sizeof(float));
    std::memcpy(aligned.data(), data.data(), data.size());
    const std::uint32_t id = constant(dims, std::move(aligned));
    xnn::ConstantData& entry = graph.constants[graph.values[id].constant];
    entry.inline_data = entry.inline_data.first(data.size());
    entry.size = data.size();
    set_type(id, type, std::move(scales));
    return id;
  }
  void set_type(std::uint32_t id, xnn::DataType type, xnn::Quantization scales) {
    graph.values[id].type = type;
    graph.values[id].quantization = std::move(scales);
  }

  std::uint32_t node(NodeType type, std::vector<std::uint32_t> inputs, xnn::Params params = {},
                     float min = -kInf, float max = kInf) {
    xnn::Node out;
    out.type = type;
    out.inputs = std::move(inputs);
    out.params = std::move(params);
    out.output_min = min;
    out.output_max = max;
    out.debug_handle = static_cast<std::uint32_t>(graph.nodes.size()) + 1;
    if (type == NodeType::kGlobalAvgPooling2d || type == NodeType::kMaxPooling2d ||
        type == NodeType::kAvgPooling2d) {
      out.flags = xnn::kKeepDims;
    }
    out.outputs = {value({1})};
    graph.nodes.push_back(std::move(out));
    return graph.nodes.back().outputs[0];
  }
  std::uint32_t conv(std::uint32_t x, std::uint32_t in_c, std::uint32_t out_c, std::uint32_t kernel,
                     std::uint32_t stride, std::uint32_t pad, float min = -kInf, float max = kInf) {
    xnn::Conv p;
    p.kernel_height = p.kernel_width = kernel;
    p.subsampling_height = p.subsampling_width = stride;
    p.padding_top = p.padding_left = p.padding_bottom = p.padding_right = pad;
    p.group_input_channels = in_c;
    p.group_output_channels = out_c;
    return node(NodeType::kConv2d, {x, weights({out_c, kernel, kernel, in_c}), weights({out_c})}, p, min,
                max);
  }
  std::uint32_t depthwise(std::uint32_t x, std::uint32_t channels, std::uint32_t kernel, std::uint32_t stride,
                          std::uint32_t pad, float min = -kInf, float max = kInf) {
    xnn::Conv p;
    p.kernel_height = p.kernel_width = kernel;
    p.subsampling_height = p.subsampling_width = stride;
    p.padding_top = p.padding_left = p.padding_bottom = p.padding_right = pad;
    p.group_input_channels = p.group_output_channels = 1;
    p.groups = channels;
    return node(NodeType::kDepthwiseConv2d, {x, weights({1, kernel, kernel, channels}), weights({channels})},
                p, min, max);
  }
  std::uint32_t linear(std::uint32_t x, std::uint32_t in, std::uint32_t out) {
    return node(NodeType::kFullyConnected, {x, weights({out, in}), weights({out})});
  }
  std::uint32_t transpose(std::uint32_t x, std::vector<std::uint32_t> perm) {
    return node(NodeType::kStaticTranspose, {x}, xnn::Transpose{std::move(perm)});
  }
  std::uint32_t reshape(std::uint32_t x, std::vector<std::uint32_t> shape) {
    return node(NodeType::kStaticReshape, {x}, xnn::Reshape{std::move(shape)});
  }
  std::uint32_t slice(std::uint32_t x, std::vector<std::uint32_t> offsets, std::vector<std::uint32_t> sizes) {
    return node(NodeType::kStaticSlice, {x}, xnn::Slice{std::move(offsets), std::move(sizes)});
  }
  std::uint32_t clamp(std::uint32_t x, float min, float max) {
    return node(NodeType::kClamp, {x}, {}, min, max);
  }
  void output(std::uint32_t id) {
    graph.values[id].flags |= xnn::kExternalOutput;
    graph.output_ids.push_back(id);
    number_arguments();
  }

  xnn::Graph graph;

 private:
  std::uint32_t value(const std::vector<std::uint32_t>& dims) {
    xnn::Value out;
    out.id = static_cast<std::uint32_t>(graph.values.size());
    out.dims = dims;
    graph.values.push_back(std::move(out));
    return graph.values.back().id;
  }
  void number_arguments() {
    graph.num_externs = 0;
    for (const auto* ids : {&graph.input_ids, &graph.output_ids}) {
      for (const std::uint32_t id : *ids) graph.values[id].external_id = graph.num_externs++;
    }
  }

  std::deque<std::vector<float>> storage_;
  std::uint32_t seed_ = 0;
};

inline Dims dims_of_value(const xnn::Value& value) {
  Dims dims;
  for (const std::uint32_t size : value.dims) dims.push_back(size);
  return dims;
}

// What a run of the engine gave.
struct Ran {
  std::vector<std::vector<float>> outputs;
  std::vector<runtime::DelegateOperation> operations;
  std::string error;

  std::size_t count(std::string_view name) const {
    std::size_t n = 0;
    for (const auto& operation : operations) n += operation.name.find(name) != std::string::npos ? 1 : 0;
    return n;
  }
};

// A graph's inputs, outputs and plain results.
class Trial {
 public:
  explicit Trial(const GraphBuilder& builder) : graph_(builder.graph) {
    reference::Tensors inputs;
    for (const xnn::Value& value : graph_.values) {
      if (!value.is_input()) continue;
      const Dims dims = dims_of_value(value);
      const auto data = drawn(static_cast<std::size_t>(numel(dims)), 77 + value.external_id, -2, 2);
      inputs_.push_back({dims, data});
      reference::Tensor tensor{{value.type, dims, {}}, {}};
      tensor.bytes.resize(data.size() * sizeof(float));
      std::memcpy(tensor.bytes.data(), data.data(), tensor.bytes.size());
      inputs[value.external_id] = std::move(tensor);
    }
    auto outputs = reference::evaluate(graph_, {}, inputs);
    if (!outputs.ok()) {
      ADD_FAILURE() << outputs.error().message();
      return;
    }
    for (const auto& [id, tensor] : *outputs) {
      Tensor out{tensor.type.dims, std::vector<float>(tensor.bytes.size() / sizeof(float))};
      std::memcpy(out.data.data(), tensor.bytes.data(), tensor.bytes.size());
      expected_.push_back(std::move(out));
    }
  }

  Ran run(const Options& options = {}, int times = 2) const {
    auto backend = NativeBackend::create(options);
    if (!backend.ok()) return {{}, {}, backend.error().message()};
    return run_on(**backend, times);
  }
  Ran run_on(NativeBackend& backend, int times) const {
    Ran ran;
    const auto encoded = xnn::encode(graph_);
    if (!encoded.ok()) return {{}, {}, encoded.error().message()};
    std::vector<Tensor> tensors = inputs_;
    for (const Tensor& out : expected_)
      tensors.push_back({out.dims, std::vector<float>(out.data.size(), NAN)});
    std::deque<TensorView> views;
    std::deque<ops::Value> values;
    std::vector<ops::Value*> args;
    for (Tensor& tensor : tensors) {
      views.emplace_back(DType::kFloat32, tensor.dims, tensor.data.data());
      values.push_back(ops::Value::of_tensor(&views.back()));
      args.push_back(&values.back());
    }
    runtime::DelegateSource source;
    source.payload = *encoded;
    const std::vector<const ops::Value*> seen(args.begin(), args.end());
    source.args = seen;
    auto delegate = backend.compile(source);
    if (!delegate.ok()) return {{}, {}, delegate.error().message()};
    for (int i = 0; i < times; ++i) {
      const Status status = (*delegate)->execute(args, {});
      if (!status.ok()) return {{}, {}, status.error().message()};
    }
    const auto operations = (*delegate)->operations();
    ran.operations.assign(operations.begin(), operations.end());
    for (std::size_t i = inputs_.size(); i < tensors.size(); ++i) ran.outputs.push_back(tensors[i].data);
    return ran;
  }

  // Largest difference from the plain results.
  double difference_of(const Ran& ran) const {
    double largest = 0;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      for (std::size_t k = 0; k < expected_[i].data.size(); ++k) {
        const double difference = std::fabs(static_cast<double>(ran.outputs[i][k]) - expected_[i].data[k]);
        largest = std::max(largest, difference == difference ? difference : 1e30);
      }
    }
    return largest;
  }

  // Largest difference from the plain results, relative to their largest number.
  double error_of(const Ran& ran) const {
    double error = 0;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      double largest = 1e-30;
      for (const float x : expected_[i].data) largest = std::max(largest, std::fabs(static_cast<double>(x)));
      for (std::size_t k = 0; k < expected_[i].data.size(); ++k) {
        const double difference = std::fabs(static_cast<double>(ran.outputs[i][k]) - expected_[i].data[k]);
        error = std::max(error, difference == difference ? difference / largest : 1e30);
      }
    }
    return error;
  }

 private:
  struct Tensor {
    Dims dims;
    std::vector<float> data;
  };
  xnn::Graph graph_;
  std::vector<Tensor> inputs_, expected_;
};

// Runs on every usable ISA and expects the plain results; gives the last run.
inline Ran expect_same(const GraphBuilder& builder, double tolerance = 1e-5) {
  const Trial trial(builder);
  Ran last;
  for (const kernels::IsaInfo& info : kernels::all_isas()) {
    Ran ran = trial.run({.isa = std::string(info.name)});
    if (ran.error.find("not available") != std::string::npos) continue;
    EXPECT_EQ(ran.error, "");
    if (!ran.error.empty()) return ran;
    EXPECT_LE(trial.error_of(ran), tolerance) << info.name;
    last = std::move(ran);
  }
  return last;
}

// The graph as the rewrites see it, for tests of one rule.
inline Graph imported(const GraphBuilder& builder) {
  std::vector<ExternalInput> inputs(builder.graph.num_externs);
  for (const xnn::Value& value : builder.graph.values) {
    if (value.is_input()) inputs[value.external_id].dims = dims_of_value(value);
  }
  WidenedConstants widened(kernels::Isa::kScalar);  // stays empty: the builder makes float32 graphs
  auto graph = import_graph(builder.graph, {}, inputs, std::uint64_t{1} << 34, widened);
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  return graph.ok() ? std::move(*graph) : Graph{};
}

}  // namespace etalon::native::testing
