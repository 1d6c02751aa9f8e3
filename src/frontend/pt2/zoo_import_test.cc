// The zoo's archives against what PyTorch computed with the same drawn weights and inputs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "formats/npy/npy.h"
#include "frontend/pt2/drawn_weights.h"
#include "frontend/pt2/import.h"
#include "frontend/pt2/interpreter_testing.h"

namespace etalon::frontend {
namespace {

std::string zoo_file(const std::string& name) { return std::string(ETALON_SOURCE_DIR) + "/zoo/" + name; }

HostTensor drawn_input(const ir::Graph& graph, std::size_t position) {
  const ir::TensorType& type = graph[graph.inputs[position].value].tensor();
  DrawnWords words("input_" + std::to_string(position));
  std::vector<float> values(static_cast<std::size_t>(numel(type.sizes)));
  for (float& value : values) value = words.next_uniform();
  HostTensor out{type.dtype, type.sizes, std::vector<std::byte>(values.size() * sizeof(float))};
  std::memcpy(out.data.data(), values.data(), out.data.size());
  return out;
}

void expect_near_pytorch(const std::string& model) {
  auto file = MappedFile::open(zoo_file(model + ".pt2"));
  ASSERT_TRUE(file.ok()) << file.error().message();
  const auto imported = import_pt2(file->bytes());
  ASSERT_TRUE(imported.ok()) << imported.error().message();
  ASSERT_EQ(imported->methods.size(), 1u);
  const ir::Graph& graph = imported->methods[0];
  const auto outputs = interpret(graph, {drawn_input(graph, 0)});
  ASSERT_TRUE(outputs.ok()) << outputs.error().message();
  auto expected_file = MappedFile::open(zoo_file(model + ".expected.npy"));
  ASSERT_TRUE(expected_file.ok());
  const auto expected = formats::npy::decode(expected_file->bytes());
  ASSERT_TRUE(expected.ok());
  const std::vector<float> got = outputs->at(0).as_floats();
  const std::size_t count = expected->data.size() / sizeof(float);
  ASSERT_LE(count, got.size());
  float magnitude = 0;
  for (const float value : got) magnitude = std::max(magnitude, std::fabs(value));
  for (std::size_t i = 0; i < count; ++i) {
    float want;
    std::memcpy(&want, expected->data.data() + i * sizeof(float), sizeof(float));
    ASSERT_NEAR(got[i], want, 1e-4f * magnitude) << model << " element " << i;
  }
}

TEST(ZooImport, mobilenet_v3_small_computes_what_pytorch_does) { expect_near_pytorch("mobilenet_v3_small"); }
TEST(ZooImport, toy_cnn_computes_what_pytorch_does) { expect_near_pytorch("toy_cnn"); }
TEST(ZooImport, vit_tiny_computes_what_pytorch_does) { expect_near_pytorch("vit_tiny"); }

}  // namespace
}  // namespace etalon::frontend
