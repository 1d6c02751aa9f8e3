// What --math allows, on whole graphs: which kernels run, how far results are off, and what is said where none could.
#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer
using kernels::MathMode;

// Planes as a model's input, a strided, a pointwise and a depthwise convolution, a fully connected layer.
GraphBuilder net() {
  GraphBuilder b;
  auto x = b.transpose(b.input({1, 3, 34, 30}), {0, 2, 3, 1});
  x = b.conv(x, 3, 24, 3, 2, 1, 0, 6);
  x = b.conv(x, 24, 64, 1, 1, 0, 0, kInf);
  x = b.depthwise(x, 64, 3, 1, 1);
  x = b.conv(x, 64, 33, 1, 1, 0);
  x = b.reshape(b.node(NodeType::kGlobalAvgPooling2d, {x}), {1, 33});
  b.output(b.linear(x, 33, 10));
  return b;
}

GraphBuilder attention_and_product() {
  constexpr std::uint32_t kTokens = 40, kHeads = 2, kDepth = 32;
  GraphBuilder b;
  const auto q = b.input({kHeads, kTokens, kDepth}), k = b.input({kHeads, kDepth, kTokens}), v = b.input({kHeads, kTokens, kDepth});
  const auto scaled = b.node(NodeType::kMultiply, {q, b.number(0.25f)});
  const auto scores = b.node(NodeType::kSoftmax, {b.node(NodeType::kBatchMatrixMultiply, {scaled, k})});
  const auto mixed = b.node(NodeType::kBatchMatrixMultiply, {scores, v});
  b.output(b.node(NodeType::kBatchMatrixMultiply, {mixed, k}));
  return b;
}

std::size_t rounding_kernels(const Ran& ran) {
  std::size_t n = 0;
  for (const auto& operation : ran.operations) n += operation.kernel.find("_bf16_") != std::string::npos ? 1 : 0;
  return n;
}

bool has_fast_bf16() {
  const auto backend = NativeBackend::create({});
  if (!backend.ok()) return false;
  const Settings& settings = (*backend)->settings();
#if defined(__x86_64__)
  if (kernels::is_within(kernels::Isa::kAmx, settings.cap)) return true;
  return kernels::is_within(kernels::Isa::kAvx512Bf16, settings.cap) && !settings.machine.bf16_dots_are_slow;
#else
  return kernels::best_float_isa(settings.cap, MathMode::kBf16) != kernels::best_float_isa(settings.cap);
#endif
}

TEST(MathModes, bf16_is_within_what_it_says_and_exact_is_not_touched) {
  for (const GraphBuilder& b : {net(), attention_and_product()}) {
    const Trial trial(b);
    const Ran exact = trial.run(), bf16 = trial.run({.math = MathMode::kBf16});
    ASSERT_EQ(exact.error + bf16.error, "");
    EXPECT_EQ(rounding_kernels(exact), 0u);
    EXPECT_LT(trial.error_of(exact), 1e-5);
    EXPECT_LT(trial.error_of(bf16), 2e-2);
    if (!has_fast_bf16()) continue;
    EXPECT_GE(rounding_kernels(bf16), 2u);
    EXPECT_GT(trial.error_of(bf16), 1e-4);
  }
}

// As large as a model's, so that what pays there is chosen.
TEST(MathModes, a_models_planes_are_read_as_they_are_in_every_mode) {
  GraphBuilder b;
  const auto image = b.transpose(b.input({1, 3, 96, 96}), {0, 2, 3, 1});
  b.output(b.conv(image, 3, 32, 3, 2, 1, 0, 6));
  const Trial trial(b);
  for (const MathMode math : {MathMode::kExact, MathMode::kBf16, MathMode::kFp16}) {
    const Ran ran = trial.run({.math = math});
    ASSERT_EQ(ran.error, "");
    EXPECT_LT(trial.error_of(ran), 2e-2);
    EXPECT_EQ(ran.count("Transpose"), 0u) << kernels::name_of(math);
  }
}

TEST(MathModes, threads_do_not_change_bf16_results) {
  const GraphBuilder b = net();  // owns the weights
  const Trial trial(b);
  const Ran alone = trial.run({.math = MathMode::kBf16}), together = trial.run({.threads = 3, .math = MathMode::kBf16});
  ASSERT_EQ(alone.error + together.error, "");
  EXPECT_EQ(alone.outputs, together.outputs);
}

// Without kernels for a mode the exact ones run, and every product says so.
TEST(MathModes, what_has_no_kernel_of_the_mode_runs_exactly_and_tells) {
  const GraphBuilder b = net();
  const Trial trial(b);
  for (const Options& options : {Options{.isa = "scalar", .math = MathMode::kBf16}, Options{.isa = "scalar", .math = MathMode::kFp16}}) {
    const Ran ran = trial.run(options);
    ASSERT_EQ(ran.error, "");
    EXPECT_LT(trial.error_of(ran), 1e-5);
    std::size_t told = 0;
    for (const auto& operation : ran.operations) {
      const std::string wanted = "no kernel of --math " + std::string(kernels::name_of(options.math)) + " for this: --math exact runs";
      told += operation.reason == wanted ? 1 : 0;
    }
    EXPECT_EQ(told, 5u);
  }
}

TEST(MathModes, weights_packed_for_one_mode_are_not_taken_for_another) {
  std::vector<std::string> configurations;
  for (const MathMode math : {MathMode::kExact, MathMode::kFast, MathMode::kBf16, MathMode::kFp16}) {
    Settings settings;
    settings.math = math;
    for (const std::string& other : configurations) EXPECT_NE(packing_configuration(settings), other);
    configurations.push_back(packing_configuration(settings));
  }
}

// bfloat16 payloads are nothing that ExecuTorch writes; the plain nodes compute them.
TEST(MathModes, payloads_of_bfloat16_values_run_on_the_plain_nodes) {
  GraphBuilder b;
  const auto x = b.input({2, 8});
  const auto wide = b.node(NodeType::kConvert, {x});
  b.output(b.node(NodeType::kConvert, {wide}));
  b.set_type(wide, xnn::DataType::kBf16, {});
  const Trial trial(b);
  const Ran ran = trial.run();
  ASSERT_EQ(ran.error, "");
  EXPECT_EQ(trial.error_of(ran), 0.0);  // the plain nodes are what it is held against
  EXPECT_EQ(ran.count("Convert"), 2u);
}

}  // namespace
}  // namespace etalon::native
