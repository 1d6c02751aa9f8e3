#include "runtime/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/file.h"
#include "runtime/program_testing.h"

namespace etalon::runtime {
namespace {

using namespace testing;  // NOLINT: the builders of this layer
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModuleFile : public ::testing::Test {
 protected:
  void SetUp() override {
    PlanBuilder b;
    const auto x = b.tensor({2, 2});
    const auto scale = b.integer(3);
    const auto y = b.tensor({2, 2});
    b.add(x, x, y);
    b.plan.inputs = {x, scale};
    b.plan.outputs = {y, scale};
    pte::ProgramToWrite source;
    source.plans.push_back(b.plan);
    const auto bytes = pte::encode_to_bytes(source);
    ASSERT_TRUE(bytes.ok());
    path_ = ::testing::TempDir() + "etalon_module_test.pte";
    ASSERT_TRUE(write_file(path_, Bytes(*bytes)).ok());
  }
  void TearDown() override { std::remove(path_.c_str()); }
  std::string path_;
};

TEST_F(ModuleFile, forward_takes_tensors_and_gives_tensors) {
  auto module = Module::load(path_);
  ASSERT_TRUE(module.ok()) << module.error().message();
  const float values[] = {1, 2, 3, 4};
  const auto input = Tensor::from_floats({2, 2}, values);
  ASSERT_TRUE(input.ok());
  for (int run = 0; run < 2; ++run) {
    auto outputs = module->forward(*input);
    ASSERT_TRUE(outputs.ok()) << outputs.error().message();
    ASSERT_EQ(outputs->size(), 1u);
    EXPECT_THAT((*outputs)[0].elements<float>(), ElementsAre(2, 4, 6, 8));
  }
}

TEST_F(ModuleFile, survives_being_moved) {
  auto loaded = Module::load(path_);
  ASSERT_TRUE(loaded.ok());
  ASSERT_TRUE(loaded->method().ok());
  Module moved = std::move(*loaded);
  const auto input = Tensor::zeros(DType::kFloat32, {2, 2});
  EXPECT_TRUE(moved.forward(*input).ok());
}

TEST_F(ModuleFile, says_how_many_inputs_are_wanted) {
  auto module = Module::load(path_);
  ASSERT_TRUE(module.ok());
  auto none = module->forward(std::span<const Tensor>{});
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message(), HasSubstr("0 inputs given"));
  auto wrong = Tensor::zeros(DType::kInt64, {2, 2});
  auto refused = module->forward(*wrong);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "input 0: dtype is int64, want float32");
}

TEST(Module, a_missing_file_and_a_file_that_is_no_program_are_named) {
  const auto missing = Module::load("/nonexistent.pte");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("/nonexistent.pte"));
  const std::string path = ::testing::TempDir() + "etalon_no_program.pte";
  ASSERT_TRUE(write_file(path, "this is text, not a program, and rather more than a header").ok());
  const auto text = Module::load(path);
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.error().message(), HasSubstr(path));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace etalon::runtime
