#include "cli/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "formats/npy/npy.h"
#include "ir/text.h"

namespace etalon::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kGraph = R"(graph forward {
  input %x: f32[1, 2, 2, 2]
  constant %w: f32[1, 2, 1, 1] parameter = {1, -1}
  %c: f32[1, 1, 2, 2] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %r: f32[1, 1, 2, 2] = aten::relu(%c)
  return %r
}
)";

class Calibration : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        testing::TempDir() + "calibration_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  std::string write(const std::string& name, const std::vector<std::int64_t>& shape,
                    const std::vector<float>& values) {
    const std::string path = folder_ + "/" + name;
    const auto bytes = formats::npy::encode("<f4", shape, std::as_bytes(std::span(values)));
    EXPECT_TRUE(bytes.ok() && write_file(path, Bytes(*bytes)).ok());
    return path;
  }
  ir::Graph graph_ = ir::parse(kGraph).value();
  std::string folder_;
};

TEST_F(Calibration, AnArrayHoldsOneSampleOrSeveral) {
  const std::vector<float> two(16, 0.5f), one(8, 0.5f);
  for (const auto& [path, count] : {std::pair{write("two.npy", {2, 2, 2, 2}, two), 2u},
                                    {write("one.npy", {1, 2, 2, 2}, one), 1u},
                                    {write("bare.npy", {2, 2, 2}, one), 1u}}) {
    const auto samples = load_samples(graph_, {.sources = {path}});
    ASSERT_TRUE(samples.ok()) << samples.error().message();
    EXPECT_EQ(samples->inputs.size(), count) << path;
    EXPECT_EQ(samples->inputs[0][0].sizes(), (Dims{1, 2, 2, 2})) << path;
  }
}

TEST_F(Calibration, AFolderIsReadInOrderAndCutToTheSamplesAskedFor) {
  write("b.npy", {1, 2, 2, 2}, std::vector<float>(8, 2));
  write("a.npy", {2, 2, 2, 2}, std::vector<float>(16, 1));
  const auto samples = load_samples(graph_, {.sources = {folder_}, .max_samples = 3});
  ASSERT_TRUE(samples.ok()) << samples.error().message();
  ASSERT_EQ(samples->inputs.size(), 3u);
  EXPECT_EQ(samples->inputs[1][0].elements<float>()[0], 1);
  EXPECT_EQ(samples->inputs[2][0].elements<float>()[0], 2);
  EXPECT_EQ(load_samples(graph_, {.sources = {folder_}, .max_samples = 1})->available, 3u);
}

TEST_F(Calibration, WhatDoesNotFitIsNamed) {
  std::vector<float> nan(8, 0);
  nan[3] = std::numeric_limits<float>::quiet_NaN();
  const auto message = [&](const std::string& source) {
    const auto samples = load_samples(graph_, {.sources = {source}});
    return samples.ok() ? std::string("read") : samples.error().message();
  };
  EXPECT_THAT(message(write("wide.npy", {1, 2, 2, 3}, std::vector<float>(12))),
              HasSubstr("wide.npy: has the shape [1, 2, 2, 3], input x wants [1, 2, 2, 2] or several"));
  EXPECT_THAT(message(write("nan.npy", {1, 2, 2, 2}, nan)),
              HasSubstr("nan.npy: has 1 NaN or infinite elements"));
  EXPECT_THAT(message(write("none.npy", {0, 2, 2, 2}, {})),
              HasSubstr("none.npy: has the shape [0, 2, 2, 2]"));
  std::filesystem::create_directories(folder_ + "/empty");
  EXPECT_THAT(message(folder_ + "/empty"), HasSubstr("holds no .npy, .jpg or .png files"));
  EXPECT_TRUE(write_file(folder_ + "/broken.png", std::string_view("not a picture")).ok());
  EXPECT_THAT(message(folder_ + "/broken.png"), HasSubstr("images want [1, 3, H, W]"));
}

TEST_F(Calibration, RandomSamplesAreTheSameEveryTime) {
  const auto first = load_samples(graph_, {.sources = {"random"}}),
             second = load_samples(graph_, {.sources = {"random"}});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(first->is_random);
  EXPECT_TRUE(std::ranges::equal(first->inputs[5][0].bytes(), second->inputs[5][0].bytes()));
  EXPECT_FALSE(std::ranges::equal(first->inputs[4][0].bytes(), first->inputs[5][0].bytes()));
}

TEST_F(Calibration, RangesAndMeansAreThoseOfTheFloatModel) {
  const auto samples =
      load_samples(graph_, {.sources = {write("x.npy", {1, 2, 2, 2}, {1, 2, 3, 4, 0, 0, 0, 8})}});
  ASSERT_TRUE(samples.ok());
  const auto plan = quantize::make_plan(graph_, {});
  ASSERT_TRUE(plan.ok());
  const auto found = calibrate(graph_, *plan, *samples, {.kind = quantize::ObserverKind::kMinMax}, 1, {});
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_EQ(found->params.size(), 2u);
  EXPECT_EQ(found->params[0], quantize::activation_params({0, 8}));
  EXPECT_EQ(found->params[1], quantize::activation_params({0, 3})) << "after the relu";
  EXPECT_EQ(found->means.at(graph_.inputs[0].value), (std::vector<double>{2.5, 2}));
}

TEST_F(Calibration, AValueThatOverflowsIsNamed) {
  const auto samples = load_samples(
      graph_,
      {.sources = {write("x.npy", {1, 2, 2, 2}, std::vector<float>{3e38f, 0, 0, 0, -3e38f, 0, 0, 0})}});
  ASSERT_TRUE(samples.ok());
  const auto plan = quantize::make_plan(graph_, {});
  const auto found = calibrate(graph_, *plan, *samples, {}, 1, {});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message(), "r: has 1 NaN or infinite elements on the calibration data");
}

}  // namespace
}  // namespace etalon::cli
