#include "passes/passes_testing.h"

namespace etalon::passes {
extern const Pass kDoubleNegation;
namespace {

TEST(DoubleNegation, drops_the_pair) {
  const std::string text = after(kDoubleNegation,
                                 "graph f {\n  input %x: f32[2]\n  %a: f32[2] = aten::neg(%x)\n  %b: f32[2] = aten::neg(%a)\n"
                                 "  %c: f32[2] = aten::exp(%b)\n  return %c\n}\n");
  EXPECT_NE(text.find("aten::exp(%x)"), std::string::npos) << text;
}

TEST(DoubleNegation, keeps_a_single_one) {
  const std::string text = "graph f {\n  input %x: f32[2]\n  %a: f32[2] = aten::neg(%x)\n  return %a\n}\n";
  EXPECT_EQ(after(kDoubleNegation, text), text);
}

}  // namespace
}  // namespace etalon::passes
