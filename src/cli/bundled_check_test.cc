#include "cli/bundled_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "runtime/program_testing.h"

namespace etalon::cli {
namespace {

using namespace runtime::testing;  // NOLINT: programs made by hand
using ::testing::HasSubstr;

class Loaded final : public Runnable {
 public:
  explicit Loaded(runtime::Method& method) : method_(method) {}
  std::size_t input_count() const override { return method_.input_count(); }
  std::optional<InputSpec> input(std::size_t i) const override { return input_spec(method_, i); }
  Status set_input(std::size_t i, const ops::Value& value) override { return method_.set_input(i, value); }
  Status execute() override { return method_.execute(); }
  std::size_t output_count() const override { return method_.output_count(); }
  const ops::Value& output(std::size_t i) const override { return method_.output(i); }

 private:
  runtime::Method& method_;
};

class BundledCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    PlanBuilder b;
    const auto x = b.tensor({2});
    const auto y = b.tensor({2});
    b.add(x, x, y);
    b.plan.inputs = {x};
    b.plan.outputs = {y};
    auto program = built(b);
    ASSERT_TRUE(program.ok());
    program_ = std::move(*program);
    auto method = runtime::Method::load(*program_.program, "forward");
    ASSERT_TRUE(method.ok());
    method_ = std::make_unique<runtime::Method>(std::move(*method));
  }

  static formats::bpte::Tensor tensor(const std::vector<float>& values) {
    const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
    return {6, {static_cast<std::int32_t>(values.size())}, {0}, Bytes(bytes, values.size() * sizeof(float))};
  }
  Result<BundledResult> outcome(const std::vector<float>& expected) {
    const std::vector<float> input = {1, 2};
    formats::bpte::TestCase test{{tensor(input)}, {tensor(expected)}};
    Loaded method(*method_);
    ETALON_CHECKED(set_bundled_inputs(method, test));
    ETALON_CHECKED(method.execute());
    return compare_with_bundle(method, test, 0.01, 0.01);
  }

  BuiltProgram program_;
  std::unique_ptr<runtime::Method> method_;
};

TEST_F(BundledCheck, equal_outputs_match) {
  const auto result = outcome({2, 4});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_TRUE(result->matches);
  EXPECT_EQ(result->max_absolute_error, 0);
}

TEST_F(BundledCheck, small_errors_match_and_large_ones_do_not) {
  EXPECT_TRUE(outcome({2.02F, 4})->matches);
  const auto result = outcome({2, 5});
  EXPECT_FALSE(result->matches);
  EXPECT_DOUBLE_EQ(result->max_absolute_error, 1);
  EXPECT_DOUBLE_EQ(result->mean_absolute_error, 0.5);
  EXPECT_DOUBLE_EQ(result->max_relative_error, 0.2);
}

TEST_F(BundledCheck, not_a_number_is_a_mismatch_unless_expected) {
  EXPECT_FALSE(outcome({std::numeric_limits<float>::quiet_NaN(), 4})->matches);
}

TEST_F(BundledCheck, another_shape_cannot_be_compared) {
  const auto result = outcome({2, 4, 6});
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message(), HasSubstr("output 0: it is float32 [2], the bundle expects float32 [3]"));
}

}  // namespace
}  // namespace etalon::cli
