// fp16 payloads, computed in float32 by the same kernels and rewrites.
#include "backends/native/widening.h"

#include "backends/native/native_testing.h"
#include "tensor/half.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

// Half a unit in the last place of fp16, at the input, the weights and the output.
constexpr double kTolerance = 2e-3;

std::vector<std::uint16_t> halves_of(std::span<const float> values) {
  std::vector<std::uint16_t> out;
  for (const float x : values) out.push_back(Half(x).bits);
  return out;
}

// A float32 graph and the same one in fp16, but for the values in `kept`.
class HalfTrial {
 public:
  explicit HalfTrial(const GraphBuilder& builder, std::vector<std::uint32_t> kept = {})
      : exact_(builder.graph), graph_(builder.graph) {
    for (xnn::Value& value : graph_.values) {
      if (std::find(kept.begin(), kept.end(), value.id) != kept.end()) continue;
      value.type = xnn::DataType::kFp16;
      if (value.constant != 0) narrow_constant(graph_.constants[value.constant]);
    }
  }

  // Runs both. `error`: the largest difference, relative to the largest number of an output.
  // The last two runs follow runs with other first sizes of a single input, if `rows` has any.
  Ran run(const Options& options, double& error, const std::vector<std::int64_t>& rows = {}) {
    Ran ran;
    auto backend = NativeBackend::create(options);
    if (!backend.ok()) return {{}, {}, backend.error().message()};
    bind_arguments();
    const auto payload = xnn::encode(graph_);
    if (!payload.ok()) return {{}, {}, payload.error().message()};
    runtime::DelegateSource source;
    source.payload = *payload;
    const std::vector<const ops::Value*> seen(args_.begin(), args_.end());
    source.args = seen;
    auto delegate = (*backend)->compile(source);
    if (!delegate.ok()) return {{}, {}, delegate.error().message()};
    for (const std::int64_t count : rows) {
      const Status status = run_with_rows(**delegate, count);
      if (!status.ok()) return {{}, {}, status.error().message()};
    }
    for (int i = 0; i < 2; ++i) {
      const Status status = (*delegate)->execute(args_, {});
      if (!status.ok()) return {{}, {}, status.error().message()};
    }
    const auto operations = (*delegate)->operations();
    ran.operations.assign(operations.begin(), operations.end());
    error = largest_error();
    return ran;
  }

 private:
  struct Argument {
    std::vector<float> floats;  // of inputs, and the results expected of outputs
    std::vector<std::uint16_t> halves;
    bool is_half = false, is_output = false;
  };

  void narrow_constant(xnn::ConstantData& constant) {
    const auto* data = reinterpret_cast<const float*>(constant.inline_data.data());
    constants_.push_back(halves_of({data, constant.inline_data.size() / sizeof(float)}));
    constant.inline_data = std::as_bytes(std::span<const std::uint16_t>(constants_.back()));
    constant.size = constant.inline_data.size();
  }

  void bind_arguments() {
    arguments_.assign(graph_.num_externs, {});
    reference::Tensors inputs;
    for (const xnn::Value& value : exact_.values) {
      if (!value.is_input()) continue;
      const Dims dims = dims_of_value(value);
      const auto data = drawn(static_cast<std::size_t>(numel(dims)), 77 + value.external_id, -2, 2);
      reference::Tensor tensor{{value.type, dims, {}}, {}};
      tensor.bytes.resize(data.size() * sizeof(float));
      std::memcpy(tensor.bytes.data(), data.data(), tensor.bytes.size());
      inputs[value.external_id] = std::move(tensor);
      add_argument(value, dims, data);
    }
    auto outputs = reference::evaluate(exact_, {}, inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.error().message();
    for (const xnn::Value& value : exact_.values) {
      if (!value.is_output()) continue;
      const reference::Tensor& tensor = outputs->at(value.external_id);
      std::vector<float> data(tensor.bytes.size() / sizeof(float));
      std::memcpy(data.data(), tensor.bytes.data(), tensor.bytes.size());
      add_argument(value, tensor.type.dims, data);
    }
    args_.clear();
    for (ops::Value& value : values_) args_.push_back(&value);
  }

  void add_argument(const xnn::Value& value, const Dims& dims, const std::vector<float>& data) {
    Argument& argument = arguments_[value.external_id];
    const bool is_half = graph_.values[value.id].type == xnn::DataType::kFp16;
    argument = {data, halves_of(data), is_half, value.is_output()};
    void* memory = argument.halves.data();
    if (argument.is_output) argument.halves.assign(data.size(), 0x7e00);
    if (!argument.is_half) {
      written_.push_back(argument.is_output ? std::vector<float>(data.size(), NAN) : data);
      memory = written_.back().data();
    }
    views_.emplace_back(argument.is_half ? DType::kFloat16 : DType::kFloat32, dims, memory);
    values_.push_back(ops::Value::of_tensor(&views_.back()));
  }

  // On memory of its own.
  Status run_with_rows(runtime::Delegate& delegate, std::int64_t rows) const {
    std::deque<TensorView> views;
    std::deque<ops::Value> values;
    std::vector<ops::Value*> args;
    std::deque<std::vector<std::uint16_t>> memory;
    for (const TensorView& view : views_) {
      Dims dims = view.sizes();
      dims[dims.size() == 2 ? 0 : 1] = rows;
      memory.emplace_back(static_cast<std::size_t>(numel(dims)));
      views.emplace_back(DType::kFloat16, dims, memory.back().data());
      values.push_back(ops::Value::of_tensor(&views.back()));
      args.push_back(&values.back());
    }
    return delegate.execute(args, {});
  }

  double largest_error() const {
    double error = 0;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      const Argument& argument = arguments_[i];
      if (!argument.is_output) continue;
      double largest = 1e-30;
      for (const float x : argument.floats) largest = std::max(largest, std::fabs(static_cast<double>(x)));
      for (std::size_t k = 0; k < argument.floats.size(); ++k) {
        const float found =
            argument.is_half ? Half::to_float(argument.halves[k]) : views_[i].data_as<const float>()[k];
        const double difference = std::fabs(static_cast<double>(found) - argument.floats[k]);
        error = std::max(error, difference == difference ? difference / largest : 1e30);
      }
    }
    return error;
  }

  xnn::Graph exact_, graph_;
  std::deque<std::vector<std::uint16_t>> constants_;
  std::vector<Argument> arguments_;
  std::deque<std::vector<float>> written_;
  std::deque<TensorView> views_;
  std::deque<ops::Value> values_;
  std::vector<ops::Value*> args_;
};

// On every usable ISA; gives the last run.
Ran expect_near(const GraphBuilder& builder, const std::vector<std::uint32_t>& kept = {}) {
  Ran last;
  for (const kernels::IsaInfo& info : kernels::all_isas()) {
    HalfTrial trial(builder, kept);
    double error = 1e30;
    Ran ran = trial.run({.isa = std::string(info.name)}, error);
    if (ran.error.find("not available") != std::string::npos) continue;
    EXPECT_EQ(ran.error, "") << info.name;
    EXPECT_LE(error, kTolerance) << info.name;
    last = std::move(ran);
  }
  return last;
}

std::size_t count_kernels(const Ran& ran, std::string_view name) {
  std::size_t n = 0;
  for (const auto& operation : ran.operations) n += operation.kernel.find(name) != std::string::npos ? 1 : 0;
  return n;
}

// A residual block and a classifier.
GraphBuilder block() {
  GraphBuilder b;
  auto x = b.transpose(b.input({1, 3, 18, 22}), {0, 2, 3, 1});
  x = b.conv(x, 3, 16, 3, 2, 1, 0, 6);
  const auto skip = x;
  x = b.depthwise(b.conv(x, 16, 48, 1, 1, 0, 0, 6), 48, 3, 1, 1, 0, 6);
  x = b.node(NodeType::kAdd, {b.conv(x, 48, 16, 1, 1, 0), skip});
  x = b.node(NodeType::kGlobalAvgPooling2d, {b.node(NodeType::kHardswish, {x})});
  x = b.reshape(b.transpose(x, {0, 3, 1, 2}), {1, 16});
  b.output(b.node(NodeType::kSoftmax, {b.linear(x, 16, 10)}));
  return b;
}

TEST(Widening, fp16_nets_run_on_the_kernels_and_rewrites_of_float32) {
  const Ran ran = expect_near(block());
  const Ran exact = expect_same(block());
  EXPECT_EQ(count_kernels(ran, "reference_"), 0u);
  EXPECT_EQ(count_kernels(ran, "f16_f32_vcvt_ukernel__"), 1u);
  EXPECT_EQ(count_kernels(ran, "f32_f16_vcvt_ukernel__"), 1u);
  EXPECT_EQ(ran.operations.size(), exact.operations.size() + 2);
}

TEST(Widening, labels_tell_what_the_payload_stores_and_kernels_what_computes) {
  GraphBuilder b;
  b.output(b.conv(b.input({1, 9, 7, 8}), 8, 16, 3, 1, 1));
  const Ran ran = expect_near(b);
  ASSERT_EQ(ran.operations.size(), 3u);
  EXPECT_EQ(ran.operations[0].name, "Convert (NC) #1");
  EXPECT_EQ(ran.operations[1].name, "Convolution (NHWC, F16) IGEMM #1");
  EXPECT_EQ(ran.operations[1].kernel.find("f32_"), 0u) << ran.operations[1].kernel;
  EXPECT_TRUE(ran.operations[0].nodes.empty());
}

TEST(Widening, single_nodes_take_and_give_fp16) {
  for (const NodeType type : {NodeType::kAdd, NodeType::kMultiply, NodeType::kMaximum}) {
    GraphBuilder b;
    const auto x = b.input({3, 5, 33});
    b.output(b.node(type, {x, b.input({5, 1})}));
    expect_near(b);
  }
  for (const NodeType type : {NodeType::kSoftmax, NodeType::kSigmoid, NodeType::kGelu, NodeType::kAbs}) {
    GraphBuilder b;
    b.output(b.node(type, {b.input({3, 77})}));
    expect_near(b);
  }
}

TEST(Widening, values_that_are_outputs_and_read_again_are_both) {
  GraphBuilder b;
  const auto x = b.linear(b.input({4, 24}), 24, 40);
  b.output(x);
  b.output(b.node(NodeType::kSigmoid, {x}));
  b.output(b.transpose(x, {1, 0}));
  expect_near(b);
}

TEST(Widening, parts_of_a_concatenation_may_come_from_outside) {
  GraphBuilder b;
  const auto x = b.input({2, 3, 8}), y = b.input({2, 5, 8});
  b.output(b.node(NodeType::kConcatenate2, {x, y}, xnn::Concatenate{1}));
  const auto z = b.input({1, 3, 8}), w = b.input({1, 5, 8});
  b.output(b.node(NodeType::kConcatenate2, {z, w}, xnn::Concatenate{1}));
  expect_near(b);
}

TEST(Widening, conversions_inside_of_a_graph_cost_nothing) {
  GraphBuilder b;
  const auto x = b.input({4, 24});  // float32
  const auto half = b.node(NodeType::kConvert, {x});
  const auto wide = b.node(NodeType::kConvert, {b.node(NodeType::kSigmoid, {half})});
  const auto out = b.node(NodeType::kSquare, {wide});
  b.output(out);
  const Ran ran = expect_near(b, {x, wide, out});
  EXPECT_EQ(ran.operations.size(), 2u);
  EXPECT_EQ(ran.count("Convert"), 0u);
}

TEST(Widening, plain_nodes_are_given_float32_too) {
  GraphBuilder b;
  const auto x = b.input({1, 6, 6, 8});
  b.output(b.node(NodeType::kStaticResizeBilinear2D, {x}, xnn::Resize{12, 12}));
  expect_near(b);
}

// Filters are packed and forgotten; the factors of the product are read at every run.
TEST(Widening, other_sizes_find_the_constants_that_they_need) {
  GraphBuilder b;
  const auto x = b.linear(b.input({6, 24}), 24, 40);
  b.output(b.node(NodeType::kMultiply, {x, b.weights({3, 1, 40})}));
  HalfTrial trial(b);
  double error = 1e30;
  const Ran ran = trial.run({}, error, {2, 7, 1, 3, 9, 4, 2});
  EXPECT_EQ(ran.error, "");
  EXPECT_LE(error, kTolerance);
}

TEST(Widening, copies_that_nobody_reads_are_given_back) {
  const std::vector<std::uint16_t> a = halves_of(drawn(8, 1)), b = halves_of(drawn(16, 2));
  WidenedConstants widened(kernels::Isa::kScalar);
  widened.widen(std::as_bytes(std::span(a)));
  const Bytes kept = widened.widen(std::as_bytes(std::span(b)));
  widened.keep_only({kept.data()});
  EXPECT_EQ(widened.bytes(), kept.size());
  EXPECT_EQ(widened.widen(std::as_bytes(std::span(b))).data(), kept.data());
}

TEST(Widening, what_is_kept_stays_whole_between_what_is_given_back) {
  constexpr std::size_t kCount = 20'000;  // many pages each, several chunks together
  std::vector<std::vector<std::uint16_t>> halves;
  WidenedConstants widened(kernels::Isa::kScalar);
  std::vector<Bytes> copies;
  for (std::uint32_t i = 0; i < 120; ++i) halves.push_back(halves_of(drawn(kCount, i)));
  for (const auto& constant : halves) copies.push_back(widened.widen(std::as_bytes(std::span(constant))));
  std::set<const std::byte*> kept;
  for (std::size_t i = 0; i < copies.size(); i += 7) kept.insert(copies[i].data());
  widened.keep_only(kept);
  EXPECT_EQ(widened.bytes(), kept.size() * kCount * sizeof(float));
  for (std::size_t i = 0; i < copies.size(); i += 7) {
    const auto* floats = reinterpret_cast<const float*>(copies[i].data());
    for (std::size_t k = 0; k < kCount; ++k) ASSERT_EQ(floats[k], Half::to_float(halves[i][k])) << i << " " << k;
  }
  const Bytes again = widened.widen(std::as_bytes(std::span(halves[1])));
  EXPECT_EQ(reinterpret_cast<const float*>(again.data())[kCount - 1], Half::to_float(halves[1][kCount - 1]));
}

TEST(Widening, constants_are_widened_once) {
  const std::vector<std::uint16_t> halves = halves_of(drawn(37, 5));
  WidenedConstants widened(kernels::Isa::kScalar);
  const Bytes first = widened.widen(std::as_bytes(std::span(halves)));
  EXPECT_EQ(widened.widen(std::as_bytes(std::span(halves))).data(), first.data());
  EXPECT_EQ(widened.bytes(), 37u * sizeof(float));
  EXPECT_EQ(reinterpret_cast<const float*>(first.data())[36], Half::to_float(halves[36]));
}

TEST(Widening, graphs_where_fp16_meets_quantised_values_stay_as_they_are) {
  GraphBuilder b;
  const auto x = b.input({4, 24});
  const auto y = b.node(NodeType::kConvert, {x});
  b.output(b.node(NodeType::kSigmoid, {b.node(NodeType::kConvert, {y})}));
  EXPECT_TRUE(can_widen(b.graph));
  b.graph.values[y].type = xnn::DataType::kQint8;
  EXPECT_TRUE(can_widen(b.graph)) << "no fp16 at all";
  b.graph.values[x].type = xnn::DataType::kFp16;
  EXPECT_FALSE(can_widen(b.graph));
}

}  // namespace
}  // namespace etalon::native
