#include <gtest/gtest.h>

#include "formats/pt2/pt2.h"
#include "formats/sample_test.h"

namespace etalon::formats::pt2 {
namespace {

Model first_model(const MappedFile& file) {
  auto archive = decode(file.bytes());
  EXPECT_TRUE(archive.ok()) << archive.error().message();
  return std::move(archive->models.at(0));
}

const Node* find_node(const Graph& graph, std::string_view target) {
  for (const Node& node : graph.nodes) {
    if (node.target == target) return &node;
  }
  return nullptr;
}

TEST(Pt2Decode, reads_the_graph_of_a_torch_2_13_archive) {
  const auto file = sample("tiny_cnn.pt2");
  const Model model = first_model(file);
  EXPECT_EQ(model.name, "model");
  const ExportedProgram& program = model.program;
  EXPECT_EQ(program.schema_major, 8);
  EXPECT_EQ(program.verifiers, std::vector<std::string>{"TRAINING"});
  EXPECT_EQ(program.opset_version.at("aten"), 10);
  const Node* conv = find_node(program.graph, "torch.ops.aten.conv2d.default");
  ASSERT_NE(conv, nullptr);
  ASSERT_GE(conv->inputs.size(), 5U);
  EXPECT_EQ(conv->inputs[0].name, "input");
  EXPECT_EQ(conv->inputs[0].arg.as<TensorArg>()->name, "x");
  EXPECT_EQ(conv->inputs[0].kind, ArgumentKind::kPositional);
  EXPECT_EQ(conv->inputs[4].arg.as<IntsArg>()->values, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(conv->outputs.at(0).as<TensorArg>()->name, conv->name);
  EXPECT_FALSE(conv->metadata.at("stack_trace").empty());
  const TensorMeta& meta = program.graph.tensor_values.at("x");
  EXPECT_EQ(meta.dtype, 6);
  EXPECT_EQ(meta.layout, 0);
  EXPECT_EQ(meta.device, "cpu");
  ASSERT_EQ(meta.sizes.size(), 4U);
  EXPECT_EQ(meta.sizes[3].value, 4);
}

TEST(Pt2Decode, tells_what_each_input_is) {
  const auto file = sample("tiny_cnn.pt2");
  const Model model = first_model(file);
  std::map<InputKind, int> count;
  for (const InputSpec& spec : model.program.input_specs) {
    ++count[spec.kind];
    const bool is_stored = spec.kind == InputKind::kParameter || spec.kind == InputKind::kBuffer ||
                           spec.kind == InputKind::kTensorConstant;
    EXPECT_EQ(find_stored(model, spec) != nullptr, is_stored) << spec.target;
    if (spec.kind == InputKind::kConstantInput) {
      EXPECT_EQ(spec.target, "scale");
      EXPECT_EQ(spec.arg.as<IntArg>()->value, 2);
    }
  }
  EXPECT_EQ(count[InputKind::kParameter], 6);
  EXPECT_EQ(count[InputKind::kBuffer], 4);  // batch norm's three and the one that is not persistent
  EXPECT_EQ(count[InputKind::kTensorConstant], 1);
  EXPECT_EQ(count[InputKind::kUserInput], 2);
  EXPECT_EQ(count[InputKind::kConstantInput], 1);
}

TEST(Pt2Decode, gives_weights_as_spans_of_the_file) {
  const auto file = sample("tiny_cnn.pt2");
  const Model model = first_model(file);
  EXPECT_FALSE(model.is_weightless);
  const StoredTensor& weight = model.weights.at("conv.weight");
  EXPECT_TRUE(weight.is_param);
  EXPECT_EQ(weight.dtype, 6);
  EXPECT_EQ(weight.sizes, (std::vector<std::int64_t>{2, 1, 3, 3}));
  EXPECT_EQ(weight.payload.size(), 72U);
  EXPECT_GE(weight.payload.data(), file.bytes().data());
  EXPECT_LT(weight.payload.data(), file.bytes().data() + file.bytes().size());
  EXPECT_EQ(model.weights.at("bn.num_batches_tracked").dtype, 4);
  EXPECT_FALSE(model.weights.at("bn.running_var").is_param);
  const StoredTensor& constant = model.constants.at("lifted_tensor_0");
  EXPECT_EQ(read_le<float>(constant.payload, 8), 3.0F);
  EXPECT_TRUE(model.constants.contains("np_buf"));
}

TEST(Pt2Decode, gives_sample_inputs_flattened) {
  const auto file = sample("tiny_cnn.pt2");
  const auto inputs = sample_inputs(first_model(file));
  ASSERT_TRUE(inputs.ok()) << inputs.error().message();
  ASSERT_EQ(inputs->size(), 3U);
  const auto* image = std::get_if<SavedTensor>(&(*inputs)[0]);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->sizes, (std::vector<std::int64_t>{1, 1, 4, 4}));
  EXPECT_EQ(image->storage.size(), 64U);
  EXPECT_EQ(std::get<std::int64_t>((*inputs)[1]), 2);
  EXPECT_EQ(read_le<float>(std::get<SavedTensor>((*inputs)[2]).storage, 0), 1.0F);
}

TEST(Pt2Decode, reads_symbolic_sizes_and_ranges) {
  const auto file = sample("dynamic.pt2");
  const Model model = first_model(file);
  int symbolic = 0;
  for (const auto& [name, meta] : model.program.graph.tensor_values) {
    for (const SymInt& size : meta.sizes) {
      if (!size.is_symbolic()) continue;
      ++symbolic;
      EXPECT_EQ(size.hint, 3) << name;
    }
  }
  EXPECT_GT(symbolic, 2);
  ASSERT_EQ(model.program.range_constraints.size(), 1U);
  EXPECT_EQ(model.program.range_constraints.begin()->second.min, 2);
  EXPECT_EQ(model.program.range_constraints.begin()->second.max, 9);
  EXPECT_FALSE(model.program.module_call_graph.at(0).in_spec.empty());
  EXPECT_EQ(model.weights.at("l.weight").dtype, 5);
}

TEST(Pt2Decode, flags_archives_whose_weights_were_taken_out) {
  const auto file = MappedFile::open(std::string(ETALON_SOURCE_DIR) + "/zoo/resnet18.pt2");
  ASSERT_TRUE(file.ok());
  const Model model = first_model(*file);
  EXPECT_TRUE(model.is_weightless);
  const StoredTensor& weight = model.weights.at("conv1.weight");
  EXPECT_TRUE(weight.is_missing);
  EXPECT_TRUE(weight.payload.empty());
  EXPECT_EQ(weight.sizes, (std::vector<std::int64_t>{64, 3, 7, 7}));
}

TEST(Pt2Decode, inflates_compressed_weights) {
  const auto file = MappedFile::open(std::string(ETALON_SOURCE_DIR) + "/zoo/toy_cnn.pt2");
  ASSERT_TRUE(file.ok());
  const Model model = first_model(*file);
  EXPECT_FALSE(model.is_weightless);
  EXPECT_FALSE(model.inflated.empty());
  for (const auto& [name, tensor] : model.weights) EXPECT_FALSE(tensor.payload.empty()) << name;
}

TEST(Pt2Decode, refuses_every_truncation) {
  const auto file = sample("dynamic.pt2");
  expect_every_truncation_fails(
      file.bytes(), [](Bytes bytes) { return decode(bytes).ok(); }, 7);
}

TEST(Pt2Decode, survives_byte_flips) {
  const auto file = sample("dynamic.pt2");
  const auto read = [](Bytes bytes) {
    const auto archive = decode(bytes);
    if (archive.ok()) (void)sample_inputs(archive->models.at(0)).ok();
  };
  flip_every_byte(file.bytes(), read, 5);
}

}  // namespace
}  // namespace etalon::formats::pt2
