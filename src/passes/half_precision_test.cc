#include "passes/half_precision.h"

#include <gmock/gmock.h>

#include "ir/text.h"
#include "ir/verify.h"

namespace etalon::passes {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kQuantised =
    "graph f {\n  input %x: f32[4, 2]\n  constant %q: i8[3, 2]\n  constant %s: f32[3] = {0.001, 1e-06, "
    "0.5}\n  constant %z: i64[3]\n"
    "  constant %b: f32[3] = {1, 2, 3}\n"
    "  %w: f32[3, 2] = quantized_decomposed::dequantize_per_channel(%q, %s, %z, 0, -127, 127, 1, None)\n"
    "  %y: f32[4, 3] = aten::linear(%x, %w, %b)\n  return %y\n}\n";

TEST(HalfPrecision, scales_stay_float32_and_what_they_give_is_half) {
  auto graph = ir::parse(kQuantised);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_TRUE(convert_to_half(*graph).ok());
  EXPECT_TRUE(ir::verify(*graph).ok()) << ir::verify(*graph).error().message();
  const std::string text = ir::print(*graph);
  EXPECT_THAT(text, HasSubstr("constant %s: f32[3]")) << text;
  EXPECT_THAT(text, HasSubstr("constant %b: f16[3]"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "%w: f16[3, 2] = quantized_decomposed::dequantize_per_channel(%q, %s, %z, 0, -127, 127, 1, 5)"));
}

TEST(HalfPrecision, quantisation_of_half_outside_of_delegates_is_an_error) {
  auto graph = ir::parse(kQuantised);
  ASSERT_TRUE(graph.ok());
  EXPECT_TRUE(check_half_kernels(*graph).ok());
  ASSERT_TRUE(convert_to_half(*graph).ok());
  const Status status = check_half_kernels(*graph);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message(), HasSubstr("dequantize_per_channel (w) is outside of delegates"));
}

}  // namespace
}  // namespace etalon::passes
