#include "cli/model_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "cli/exporter.h"
#include "runtime/program_testing.h"

namespace etalon::cli {
namespace {

using namespace runtime::testing;  // NOLINT: programs made by hand
using analysis::ModelFacts;
using analysis::NodeFacts;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Facts : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "model_facts_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/model.pte"; }

  void write(const PlanBuilder& plan, const std::vector<pte::Blob>& constants = {}) const {
    pte::ProgramToWrite source;
    source.plans.push_back(plan.plan);
    for (const pte::Blob& constant : constants) source.constants.push_back(constant);
    const auto bytes = pte::encode_to_bytes(source);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message();
    ASSERT_TRUE(write_file(path(), Bytes(*bytes)).ok());
  }

  ModelFacts read() const {
    auto facts = read_model_facts(path());
    EXPECT_TRUE(facts.ok()) << facts.error().message();
    return facts.ok() ? *facts : ModelFacts{};
  }

  ModelFacts exported(const std::string& model, const std::string& backend) const {
    ExportRequest request;
    request.model = std::string(ETALON_SOURCE_DIR) + "/zoo/" + model + ".pt2";
    request.output = path();
    request.backend = backend;
    request.record = false;
    const auto outcome = export_model(request);
    EXPECT_TRUE(outcome.ok()) << outcome.error().message();
    return read();
  }

  std::string folder_;
};

double flops_of(const ModelFacts& facts) {
  double sum = 0;
  for (const NodeFacts& node : facts.nodes) sum += node.flops;
  return sum;
}

double products_of(const ModelFacts& facts) {
  double sum = 0;
  for (const NodeFacts& node : facts.nodes) {
    for (const char* name : {"Conv2d", "DepthwiseConv2d", "FullyConnected", "BatchMatrixMultiply", "aten::convolution.out",
                             "aten::addmm.out", "aten::linear.out", "aten::bmm.out"}) {
      if (node.op == name) sum += node.flops;
    }
  }
  return sum;
}

double peak_of(const ModelFacts& facts) {
  double peak = 0;
  for (const auto& memory : facts.memory) peak = std::max(peak, memory.live_bytes);
  return peak;
}

// Multiply-adds and parameters as published. torchvision's weights pages (_ops, num_params): MobileNet_V2 0.301 G and
// 3,504,872, ResNet50 4.089 G and 25,557,032. timm: vit_tiny_patch16_224 1.26 G and 5,717,416. Parameters of batch
// norms are folded into convolutions here, which leaves 17,056 fewer in MobileNetV2 and 26,560 fewer in ResNet-50.
// Operator calls count the addition of a bias too: up to 1.1 % of a network's multiply-adds.
struct Known {
  const char* model;
  double giga_multiply_adds, multiply_add_tolerance;
  double parameters, parameter_tolerance;
};

class KnownModels : public Facts, public ::testing::WithParamInterface<Known> {};

TEST_P(KnownModels, have_the_published_arithmetic_and_parameters_with_and_without_a_delegate) {
  const Known& known = GetParam();
  for (const char* backend : {"xnnpack", "portable"}) {
    const ModelFacts facts = exported(known.model, backend);
    EXPECT_THAT(products_of(facts) / 2e9, DoubleNear(known.giga_multiply_adds, known.multiply_add_tolerance)) << backend;
    EXPECT_THAT(facts.parameters, DoubleNear(known.parameters, known.parameter_tolerance)) << backend;
    EXPECT_GE(flops_of(facts), products_of(facts));
    EXPECT_LT(flops_of(facts), 1.06 * products_of(facts));
    EXPECT_GT(facts.planned_bytes, 0);
    EXPECT_LE(peak_of(facts), facts.planned_bytes);
    EXPECT_GT(peak_of(facts), 0.7 * facts.planned_bytes) << "plans are tight for such models";
  }
}

INSTANTIATE_TEST_SUITE_P(zoo, KnownModels,
                         ::testing::Values(Known{"mobilenet_v2", 0.301, 0.0035, 3504872, 17056 + 100},
                                           Known{"resnet50", 4.089, 0.0062, 25557032, 26560 + 100},
                                           Known{"vit_tiny", 1.26, 0.01, 5717416, 100}),
                         [](const auto& known) { return std::string(known.param.model); });

TEST_F(Facts, a_delegates_nodes_have_shapes_attributes_and_join_the_programs_values) {
  const ModelFacts facts = exported("mobilenet_v2", "xnnpack");
  EXPECT_EQ(facts.delegates, 1u);
  EXPECT_EQ(facts.delegated_nodes, facts.nodes.size());
  const auto conv = std::find_if(facts.nodes.begin(), facts.nodes.end(), [](const auto& n) { return n.op == "Conv2d"; });
  ASSERT_NE(conv, facts.nodes.end());
  EXPECT_THAT(conv->inputs, ElementsAre("float32[1, 224, 224, 3]", "float32[32, 3, 3, 3]", "float32[32]"));
  EXPECT_THAT(conv->outputs, ElementsAre("float32[1, 112, 112, 32]"));
  EXPECT_EQ(conv->flops, 2.0 * 112 * 112 * 32 * 27);
  EXPECT_EQ(conv->weight_bytes, 4.0 * (32 * 27 + 32));
  EXPECT_EQ(conv->read_bytes, 4.0 * 224 * 224 * 3);
  EXPECT_EQ(conv->written_bytes, 4.0 * 112 * 112 * 32);
  EXPECT_EQ(conv->attributes.at("stride_height"), 2);
  EXPECT_EQ(conv->attributes.at("output_channels"), 32);
  EXPECT_EQ(conv->attributes.at("fused_activation"), 1);
  EXPECT_EQ(conv->attributes.at("output_max"), 6);
  EXPECT_EQ(conv->dtype, "float32");
  EXPECT_EQ(conv->compute_dtype, "float32");
  EXPECT_EQ(conv->backend, "XnnpackBackend");
  EXPECT_GE(conv->debug_handle, 0);
  EXPECT_FALSE(conv->padded_flops.has_value());
  // Every value is made once, before it is read; the call's own argument is the program's input.
  std::vector<std::int64_t> known = {facts.nodes.front().reads.front()};
  for (const NodeFacts& node : facts.nodes) {
    for (const auto value : node.reads) EXPECT_EQ(std::count(known.begin(), known.end(), value), 1) << node.op;
    known.insert(known.end(), node.writes.begin(), node.writes.end());
  }
}

TEST_F(Facts, values_live_from_their_first_use_to_their_last) {
  PlanBuilder b;
  const auto x = b.tensor({64}), y = b.tensor({64}), z = b.tensor({64}), w = b.tensor({64});
  b.add(x, x, y);
  b.add(y, y, z);
  b.add(z, z, w);
  b.plan.inputs = {x};
  b.plan.outputs = {w};
  write(b);
  const ModelFacts facts = read();
  ASSERT_EQ(facts.memory.size(), 3u);
  for (const auto& memory : facts.memory) EXPECT_EQ(memory.live_bytes, 2 * 256) << memory.instruction;
  EXPECT_EQ(facts.planned_bytes, 4 * 256);
  EXPECT_EQ(facts.operator_calls, 3u);
  EXPECT_THAT(facts.nodes[1].reads, ElementsAre(y));
  EXPECT_THAT(facts.nodes[1].writes, ElementsAre(z));
  EXPECT_EQ(facts.nodes[1].flops, 64);
  EXPECT_EQ(facts.nodes[1].read_bytes, 256) << "one tensor, read twice";
}

TEST_F(Facts, values_in_the_same_memory_count_once_and_views_keep_it_alive) {
  PlanBuilder b;
  const auto x = b.tensor({64}), y = b.tensor({64});
  const auto view = b.alias(y, {8, 8});
  const auto z = b.tensor({8, 8});
  const auto late = b.tensor({8, 8});
  b.add(x, x, y);
  b.kernel("aten::view_copy", "out", {y, b.ints({8, 8}), view, view});
  b.add(view, view, z);
  b.add(z, z, late);
  b.plan.inputs = {x};
  b.plan.outputs = {late};
  write(b);
  const ModelFacts facts = read();
  ASSERT_EQ(facts.memory.size(), 4u);
  EXPECT_EQ(facts.memory[1].live_bytes, 256);
  EXPECT_EQ(facts.memory[2].live_bytes, 512);
  EXPECT_EQ(facts.nodes[1].read_bytes + facts.nodes[1].written_bytes, 0) << "nothing moves";
}

TEST_F(Facts, constants_are_weights_and_no_data_flow) {
  PlanBuilder b;
  const auto x = b.tensor({2, 3});
  const auto weight = b.constant({3, 4}, 1);
  const auto y = b.tensor({2, 4});
  b.kernel("aten::mm", "out", {x, weight, y, y});
  b.plan.inputs = {x};
  b.plan.outputs = {y};
  write(b, {floats(std::vector<float>(12, 1.f))});
  const ModelFacts facts = read();
  ASSERT_EQ(facts.nodes.size(), 1u);
  EXPECT_THAT(facts.nodes[0].reads, ElementsAre(x));
  EXPECT_EQ(facts.nodes[0].weight_bytes, 48);
  EXPECT_EQ(facts.nodes[0].read_bytes, 24);
  EXPECT_EQ(facts.nodes[0].flops, 2 * 2 * 3 * 4);
  EXPECT_EQ(facts.parameters, 12);
  EXPECT_EQ(facts.constant_bytes, 48);
}

TEST_F(Facts, an_embedding_reads_the_rows_it_needs) {
  PlanBuilder b;
  const auto table = b.constant({1000, 8}, 1);
  const auto indices = b.tensor({5}, 4);
  const auto out = b.tensor({5, 8});
  b.kernel("aten::embedding", "out", {table, indices, b.integer(-1), b.boolean(false), b.boolean(false), out, out});
  b.plan.inputs = {indices};
  b.plan.outputs = {out};
  write(b, {floats(std::vector<float>(8000, 1.f))});
  const ModelFacts facts = read();
  ASSERT_EQ(facts.nodes.size(), 1u);
  EXPECT_EQ(facts.nodes[0].weight_bytes, 5 * 8 * 4);
  EXPECT_EQ(facts.nodes[0].read_bytes, 5 * 8);
}

TEST_F(Facts, dynamic_shapes_are_told_at_their_largest) {
  PlanBuilder b;
  const auto x = b.dynamic({6, 4});
  const auto rows = b.integer(0);
  const auto list = b.value(pte::IntList{{rows, b.integer(4)}});
  const auto y = b.dynamic({6, 4});
  b.kernel("aten::sym_size", "int", {x, b.integer(0), rows});
  b.kernel("aten::full", "out", {list, b.real(1), y, y});
  const auto z = b.dynamic({6, 4});
  b.add(x, y, z);
  b.plan.inputs = {x};
  b.plan.outputs = {z};
  write(b);
  const ModelFacts facts = read();
  ASSERT_EQ(facts.nodes.size(), 3u);
  EXPECT_THAT(facts.nodes[0].writes, ElementsAre(rows));
  EXPECT_THAT(facts.nodes[1].reads, ElementsAre(rows)) << "the computed size, not the constant one";
  EXPECT_EQ(facts.nodes[2].flops, 24);
  EXPECT_EQ(facts.nodes[0].read_bytes, 0) << "shapes are not data";
}

TEST_F(Facts, unknown_operators_and_wrong_arguments_have_traffic_but_no_arithmetic) {
  PlanBuilder b;
  const auto x = b.tensor({2, 3}), y = b.tensor({2, 3});
  b.kernel("vendor::rotate", "out", {x, b.integer(7), y, y});
  b.kernel("aten::mm", "out", {x, b.integer(3), y, y});  // no matrix
  b.kernel("aten::mm", "out", {x, x, y, y});             // 2x3 by 2x3
  b.kernel("aten::add", "out", {x});
  b.plan.inputs = {x};
  b.plan.outputs = {y};
  write(b);
  const ModelFacts facts = read();
  ASSERT_EQ(facts.nodes.size(), 4u);
  EXPECT_EQ(facts.nodes[0].op, "vendor::rotate.out");
  EXPECT_EQ(facts.nodes[0].read_bytes, 24);
  EXPECT_EQ(facts.nodes[0].written_bytes, 24);
  EXPECT_EQ(flops_of(facts), 0);
}

TEST_F(Facts, a_delegate_of_another_backend_is_one_node) {
  PlanBuilder b;
  const auto x = b.tensor({4}), y = b.tensor({4});
  pte::ProgramToWrite source;
  b.instruction(pte::DelegateCall{0, {x, y}});
  b.instruction(pte::DelegateCall{1, {y, x}});
  b.plan.delegates.resize(2);
  b.plan.delegates[0].id = "VendorBackend";
  b.plan.delegates[1].id = "XnnpackBackend";  // with bytes that are no graph
  b.plan.inputs = {x};
  b.plan.outputs = {y};
  source.plans.push_back(b.plan);
  source.delegate_payloads.push_back(floats({1, 2, 3}));
  const auto bytes = pte::encode_to_bytes(source);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  ASSERT_TRUE(write_file(path(), Bytes(*bytes)).ok());
  const ModelFacts facts = read();
  ASSERT_EQ(facts.nodes.size(), 2u);
  EXPECT_EQ(facts.nodes[0].backend, "VendorBackend");
  EXPECT_THAT(facts.nodes[0].reads, ElementsAre(x));
  EXPECT_THAT(facts.nodes[0].writes, ElementsAre(y));
  EXPECT_EQ(facts.nodes[0].read_bytes, 16);
  EXPECT_EQ(facts.nodes[1].node, 0);
  EXPECT_EQ(facts.delegates, 2u);
}

TEST_F(Facts, files_that_are_no_programs_are_refused) {
  EXPECT_EQ(read_model_facts(folder_ + "/absent.pte").error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(write_file(path(), std::string_view("PK\3\4 something else")).ok());
  const auto facts = read_model_facts(path());
  ASSERT_FALSE(facts.ok());
  EXPECT_EQ(facts.error().code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(facts.error().message(), HasSubstr("model.pte"));
}

TEST_F(Facts, damaged_programs_never_crash_it) {
  for (const char* model : {"toy_cnn", "digits_mobilenet"}) {
    exported(model, "xnnpack");
    const auto file = MappedFile::open(path());
    ASSERT_TRUE(file.ok());
    const std::vector<std::byte> sound(file->bytes().begin(), file->bytes().end());
    const std::size_t head = std::min<std::size_t>(sound.size(), 24576);  // the program; weights are not read
    std::mt19937 random(1);
    for (int round = 0; round < 1500; ++round) {
      std::vector<std::byte> damaged = sound;
      for (int k = 0; k < 1 + round % 8; ++k) damaged[random() % head] = static_cast<std::byte>(random());
      if (round % 10 == 9) damaged.resize(random() % damaged.size());
      const std::string name = folder_ + "/damaged.pte";
      ASSERT_TRUE(write_file(name, Bytes(damaged)).ok());
      (void)read_model_facts(name);
    }
  }
}

}  // namespace
}  // namespace etalon::cli
