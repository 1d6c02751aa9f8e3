#include "analysis/roofline.h"

#include <gtest/gtest.h>

namespace etalon::analysis {
namespace {

Ceilings machine() {
  Ceilings c;
  c.isas = {"scalar", "avx2", "avx512", "avx512bf16"};
  c.compute = {{"avx2", "float32", "fma", 1, 100}, {"avx512", "float32", "fma", 1, 200},
               {"avx512", "float32", "fma", 2, 400}, {"avx512bf16", "bfloat16", "dot product", 1, 600}};
  c.bandwidth = {{"L2", 1, 5e5, 1e6, 100, 80}, {"memory", 1, 1e8, 0, 10, 8}, {"memory", 2, 1e8, 0, 20, 8}};
  return c;
}

OperatorRow row(double flops, double bytes, double ms, std::string kernel = "", std::string dtype = "float32") {
  OperatorRow out;
  out.flops = flops;
  out.bytes = bytes;
  out.avg_ms = ms;
  out.kernel_hint = std::move(kernel);
  out.dtype = std::move(dtype);
  out.calls = 1;
  return out;
}

OperatorRow held(OperatorRow one, std::string_view isa = "", std::uint32_t threads = 1) {
  Profile profile;
  profile.threads = threads;
  profile.operators.push_back(std::move(one));
  attach_roofs(machine(), isa, profile);
  return profile.operators[0];
}

TEST(Roofs, say_the_least_time_its_share_and_what_limits) {
  const OperatorRow compute = held(row(200e6, 1e5, 2));
  EXPECT_DOUBLE_EQ(*compute.attainable_ms, 1);
  EXPECT_DOUBLE_EQ(*compute.share_of_roof, 0.5);
  EXPECT_EQ(compute.bound, "compute");
  EXPECT_EQ(compute.roof, "float32 avx512");
  const OperatorRow memory = held(row(1e6, 1e7, 4));
  EXPECT_DOUBLE_EQ(*memory.attainable_ms, 1);
  EXPECT_DOUBLE_EQ(*memory.share_of_roof, 0.25);
  EXPECT_EQ(memory.bound, "memory");
  EXPECT_EQ(memory.roof, "memory");
}

TEST(Roofs, follow_the_isa_that_was_allowed_and_the_threads) {
  EXPECT_DOUBLE_EQ(*held(row(200e6, 0, 4), "avx2").attainable_ms, 2);
  EXPECT_DOUBLE_EQ(*held(row(200e6, 0, 4), "avx512bf16").attainable_ms, 1);
  EXPECT_DOUBLE_EQ(*held(row(200e6, 0, 4), "", 2).attainable_ms, 0.5);
}

TEST(Roofs, algorithms_that_multiply_less_or_more_have_their_own) {
  const OperatorRow f4 = held(row(400e6, 1e5, 1, "f32_conv2d_winograd_ukernel_f4x4_14x32__avx512f"));
  EXPECT_DOUBLE_EQ(*f4.attainable_ms, 0.5) << "a quarter of the multiplications";
  EXPECT_EQ(f4.roof, "float32 avx512, Winograd F(4x4)");
  EXPECT_DOUBLE_EQ(*held(row(450e6, 1e5, 2, "f32_conv2d_winograd_ukernel_f2x2_6x16__fma3")).attainable_ms, 1);
  const OperatorRow split = held(row(200e6, 1e5, 4, "f32_gemm_bf16x6_minmax_ukernel_32x32__avx512amx"));
  EXPECT_DOUBLE_EQ(*split.attainable_ms, 2) << "six bfloat16 products for one";
  EXPECT_DOUBLE_EQ(*held(row(200e6, 1e5, 4, "f32_igemm_bf16x3_minmax_ukernel_32x32__avx512amx")).attainable_ms, 1);
  EXPECT_EQ(way_of("f32_gemm_minmax_ukernel_14x32__avx512f").work, 1);
  EXPECT_TRUE(way_of("").name.empty());
}

TEST(Roofs, several_calls_choose_their_memory_level_one_by_one) {
  OperatorRow four = row(0, 2e6, 1);
  four.calls = 4;  // of half a megabyte: each fits L2
  EXPECT_EQ(held(four).roof, "L2");
  EXPECT_DOUBLE_EQ(*held(four).attainable_ms, 0.02);
}

TEST(Roofs, a_dtype_without_ceiling_is_held_against_memory) {
  const OperatorRow integers = held(row(1e9, 1e7, 4, "", "int64"));
  EXPECT_EQ(integers.bound, "memory");
  EXPECT_DOUBLE_EQ(*integers.attainable_ms, 1);
}

TEST(Roofs, nothing_is_said_of_rows_about_which_nothing_is_known) {
  OperatorRow unknown;
  unknown.avg_ms = 1;
  unknown.calls = 1;
  EXPECT_FALSE(held(unknown).attainable_ms.has_value());
  EXPECT_TRUE(held(unknown).bound.empty());
  OperatorRow fast = row(200e6, 1e5, 0);
  EXPECT_TRUE(held(fast).attainable_ms.has_value());
  EXPECT_FALSE(held(fast).share_of_roof.has_value()) << "no share of no time";
}

}  // namespace
}  // namespace etalon::analysis
