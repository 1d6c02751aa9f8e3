#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/xnnpack/aot/listing.h"
#include "backends/xnnpack/aot/payload_builder.h"
#include "ir/text.h"

namespace etalon::xnnpack {
extern const LoweringFamily kLogarithmLowerings;
namespace {

using ::testing::HasSubstr;

TEST(Logarithms, are_a_logarithm_and_a_product) {
  const auto graph = ir::parse("graph f {\n  input %x: f32[2, 3]\n  %y: f32[2, 3] = aten::log2(%x)\n  return %y\n}\n");
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  PayloadBuilder builder(*graph);
  builder.begin(graph->nodes[0]);
  ASSERT_TRUE(kLogarithmLowerings[0].lower(builder, NodeArgs(*graph, graph->nodes[0])).ok());
  const Payload payload = builder.finish();
  const std::string text = listing(payload.graph);
  EXPECT_THAT(text, HasSubstr("%1: fp32[2, 3] = Log(input 0)\n"));
  EXPECT_THAT(text, HasSubstr("(output 1): fp32[2, 3] = Multiply(%1, const[1])\n"));
}

}  // namespace
}  // namespace etalon::xnnpack
