#include "analysis/graph_matching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analysis/comparison_testing.h"

namespace etalon::analysis {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::string names(const Profile& profile, const std::vector<std::size_t>& rows) {
  std::string text;
  for (const std::size_t row : rows) text += (text.empty() ? "" : " + ") + profile.operators[row].name;
  return text;
}

// "source: a + b = c", one for each group.
std::vector<std::string> matched(const ProfileBuilder& baseline, const ProfileBuilder& candidate,
                                 bool with_facts = false) {
  const Profile before = baseline.profile();
  const Profile after = candidate.profile();
  std::vector<std::string> lines;
  std::size_t rows = 0;
  for (const OperatorGroup& group : match_operators({before, with_facts ? &baseline.facts() : nullptr},
                                                    {after, with_facts ? &candidate.facts() : nullptr})) {
    lines.push_back(std::string(match_kind_name(group.kind)) + ": " + names(before, group.baseline) + " = " +
                    names(after, group.candidate));
    rows += group.baseline.size() + group.candidate.size();
  }
  EXPECT_EQ(rows, before.operators.size() + after.operators.size())
      << "an operator is in no group, or in two";
  return lines;
}

TEST(GraphMatching, the_same_line_of_the_model_is_the_same_work_in_any_order) {
  const auto baseline = ProfileBuilder().op("convolution", 1).module("a", 3).op("softmax", 1).module("b", 4);
  const auto candidate = ProfileBuilder().op("softmax", 1).module("b", 4).op("convolution", 1).module("a", 3);
  EXPECT_THAT(matched(baseline, candidate),
              ElementsAre("source: convolution = convolution", "source: softmax = softmax"));
}

TEST(GraphMatching, a_norm_and_what_it_decomposes_into_are_one_group) {
  const auto baseline = ProfileBuilder().op("native_layer_norm", 1).module("norm", 7);
  const auto candidate = ProfileBuilder()
                             .op("mean", 1)
                             .module("norm", 7)
                             .op("rsqrt", 1)
                             .module("norm", 7)
                             .op("mul", 1)
                             .module("norm", 7);
  EXPECT_THAT(matched(baseline, candidate), ElementsAre("source: native_layer_norm = mean + rsqrt + mul"));
}

TEST(GraphMatching, a_fused_clamp_joins_the_convolution_it_was_fused_into) {
  const auto portable = ProfileBuilder()
                            .op("native_call_convolution.out", 1)
                            .op("native_call_hardtanh.out", 1)
                            .op("native_call_convolution.out ", 1)
                            .op("native_call_add.out", 1);
  const auto delegated = ProfileBuilder()
                             .op("Convolution (NHWC, F32) IGEMM #1", 1)
                             .op("Fully Connected (NC, F32) GEMM #1", 1)
                             .op("Add (ND) #1", 1);
  EXPECT_THAT(
      matched(portable, delegated),
      ElementsAre(
          "name: native_call_convolution.out + native_call_hardtanh.out = Convolution (NHWC, F32) IGEMM #1",
          "name: native_call_convolution.out  = Fully Connected (NC, F32) GEMM #1",
          "name: native_call_add.out = Add (ND) #1"));
}

TEST(GraphMatching, a_quantisation_joins_the_product_that_it_feeds) {
  const auto fp32 =
      ProfileBuilder().op("Fully Connected (NC, F32) GEMM #1", 1).op("Fully Connected (NC, F32) GEMM #2", 1);
  const auto int8 = ProfileBuilder()
                        .op("Convert (NC, F32, QDU8) #1", 1)
                        .op("Fully Connected (NC, QDU8, F32, QC8W) GEMM #1", 1)
                        .op("Convert (NC, F32, QDU8) #2", 1)
                        .op("Fully Connected (NC, QDU8, F32, QC8W) GEMM #2", 1);
  EXPECT_THAT(matched(fp32, int8),
              ElementsAre("name: Fully Connected (NC, F32) GEMM #1 = "
                          "Convert (NC, F32, QDU8) #1 + Fully Connected (NC, QDU8, F32, QC8W) GEMM #1",
                          "name: Fully Connected (NC, F32) GEMM #2 = "
                          "Convert (NC, F32, QDU8) #2 + Fully Connected (NC, QDU8, F32, QC8W) GEMM #2"));
}

TEST(GraphMatching, nodes_of_one_program_meet_however_its_kernels_were_fused) {
  auto fused = ProfileBuilder().op("Convolution (NHWC, F32) IGEMM #1", 1).node({0}, {1});
  fused.last().nodes.push_back(1);
  fused.hidden_node("Clamp (NC)", {1}, {2});
  const auto split = ProfileBuilder()
                         .op("Convolution (NHWC, F32) IGEMM #1", 1)
                         .node({0}, {1})
                         .op("Clamp (NC)", 1)
                         .node({1}, {2});
  EXPECT_THAT(
      matched(fused, split, true),
      ElementsAre(
          "structure: Convolution (NHWC, F32) IGEMM #1 = Convolution (NHWC, F32) IGEMM #1 + Clamp (NC)"));
}

TEST(GraphMatching, handles_count_when_the_work_behind_them_agrees) {
  const auto baseline = ProfileBuilder()
                            .op("Convolution (NHWC, F32) IGEMM #1", 1)
                            .node({0}, {1}, 5)
                            .op("Convolution (NHWC, F32) IGEMM #2", 1)
                            .node({0}, {2}, 6);
  const auto reordered = ProfileBuilder()
                             .op("Convolution (NHWC, F16) IGEMM #1", 1)
                             .node({0}, {1}, 6)
                             .op("Convolution (NHWC, F16) IGEMM #2", 1)
                             .node({0}, {2}, 5);
  EXPECT_THAT(matched(baseline, reordered, true),
              ElementsAre("handle: Convolution (NHWC, F32) IGEMM #1 = Convolution (NHWC, F16) IGEMM #2",
                          "handle: Convolution (NHWC, F32) IGEMM #2 = Convolution (NHWC, F16) IGEMM #1"));
  const auto other_model =
      ProfileBuilder().op("Softmax (NC, F32) #1", 1).node({0}, {1}, 5).op("Add (ND) #1", 1).node({1}, {2}, 6);
  EXPECT_THAT(matched(baseline, other_model, true),
              testing::Each(testing::Not(testing::StartsWith("handle"))));
}

// Two branches that the other graph runs in the other order: only the data flow tells which is which.
TEST(GraphMatching, branches_are_told_apart_by_what_they_read_and_feed) {
  const auto branches = [](bool swapped) {
    ProfileBuilder made;
    made.op("convolution", 1).shape("1x3x8x8 -> 1x16x8x8").node({0}, {1});
    const auto left = [&] { made.op("sigmoid", 1).shape("1x16x8x8 -> 1x16x8x8").node({1}, {2}); };
    const auto right = [&] { made.op("tanh", 1).shape("1x16x8x8 -> 1x16x8x8").node({1}, {3}); };
    const auto after_left = [&] { made.op("exp", 1).shape("1x16x8x8 -> 1x16x8x8").node({2}, {4}); };
    const auto after_right = [&] { made.op("exp", 1).shape("1x16x8x8 -> 1x16x8x8").node({3}, {5}); };
    if (swapped) {
      right(), after_right(), left(), after_left();
    } else {
      left(), after_left(), right(), after_right();
    }
    made.last().name = "exp.last";
    return made.op("add", 1).shape("1x16x8x8 -> 1x16x8x8").node({4, 5}, {6});
  };
  EXPECT_THAT(matched(branches(false), branches(true), true),
              UnorderedElementsAre("structure: convolution = convolution", "structure: sigmoid = sigmoid",
                                   "structure: tanh = tanh", "structure: exp = exp.last",
                                   "structure: exp.last = exp", "structure: add = add"));
}

TEST(GraphMatching, a_shape_decides_between_equal_names) {
  const auto baseline = ProfileBuilder()
                            .op("convolution", 1)
                            .shape("1x3x8x8 -> 1x16x8x8")
                            .op("convolution", 1)
                            .shape("1x16x8x8 -> 1x32x4x4");
  const auto candidate =
      ProfileBuilder().op("Convolution (NHWC, F32) IGEMM", 1).shape("1x8x8x16 -> 1x4x4x32");
  EXPECT_THAT(
      matched(baseline, candidate),
      ElementsAre("removed: convolution = ", "structure: convolution = Convolution (NHWC, F32) IGEMM"));
}

TEST(GraphMatching, an_opaque_delegate_takes_what_lies_between_its_neighbours) {
  const auto portable = ProfileBuilder().op("convolution", 1).op("mean", 1).op("softmax", 1);
  const auto delegated = ProfileBuilder().op("DELEGATE_CALL", 1).op("softmax", 1);
  EXPECT_THAT(matched(portable, delegated),
              ElementsAre("structure: convolution + mean = DELEGATE_CALL", "name: softmax = softmax"));
}

TEST(GraphMatching, what_only_one_graph_has_is_removed_or_added) {
  const auto baseline = ProfileBuilder().op("convolution", 1).op("permute_copy", 1);
  const auto candidate = ProfileBuilder().op("softmax", 1).op("convolution", 1);
  EXPECT_THAT(matched(baseline, candidate), ElementsAre("name: convolution = convolution",
                                                        "removed: permute_copy = ", "added:  = softmax"));
}

TEST(GraphMatching, nothing_against_something_and_nothing) {
  EXPECT_THAT(matched(ProfileBuilder(), ProfileBuilder()), ElementsAre());
  EXPECT_THAT(matched(ProfileBuilder(), ProfileBuilder().op("relu", 1)), ElementsAre("added:  = relu"));
  EXPECT_THAT(matched(ProfileBuilder().op("Convert (NC)", 1), ProfileBuilder()),
              ElementsAre("removed: Convert (NC) = "));
}

}  // namespace
}  // namespace etalon::analysis
