#include "analysis/xnnpack_operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/xnnpack_names.h"

namespace etalon::analysis {
namespace {

namespace xnn = formats::xnn;
using testing::ElementsAre;
using xnn::DataType;
using xnn::NodeType;

// Values are numbered as they are added; 0 is the input of the graph.
class GraphMaker {
 public:
  GraphMaker() { value(DataType::kFp32, xnn::kExternalInput); }

  std::uint32_t value(DataType type = DataType::kFp32, std::uint32_t flags = 0) {
    xnn::Value made;
    made.id = static_cast<std::uint32_t>(graph.values.size());
    made.type = type;
    made.dims = {1, 4, 4, 8};
    made.flags = flags;
    graph.values.push_back(made);
    return made.id;
  }
  std::uint32_t constant(std::vector<std::uint32_t> dims) {
    const std::uint32_t id = value();
    graph.values.back().constant = 1;
    graph.values.back().dims = std::move(dims);
    return id;
  }
  std::uint32_t node(NodeType type, std::vector<std::uint32_t> inputs, xnn::Params params = {}, DataType type_out = DataType::kFp32) {
    xnn::Node made;
    made.type = type;
    made.inputs = std::move(inputs);
    made.params = std::move(params);
    const std::uint32_t out = value(type_out);
    made.outputs = {out};
    graph.nodes.push_back(made);
    return out;
  }
  xnn::Node& last() { return graph.nodes.back(); }
  std::vector<XnnpackOperator> operators(std::uint32_t output) {
    graph.values[output].flags |= xnn::kExternalOutput;
    return xnnpack_operators(graph);
  }

  xnn::Graph graph;
};

xnn::Conv conv3x3() {
  xnn::Conv conv;
  conv.kernel_height = conv.kernel_width = 3;
  return conv;
}

std::vector<std::vector<std::size_t>> nodes_of(const std::vector<XnnpackOperator>& operators) {
  std::vector<std::vector<std::size_t>> out;
  for (const XnnpackOperator& op : operators) out.push_back(op.nodes);
  return out;
}

TEST(XnnpackOperators, a_clamp_is_folded_into_a_convolution_but_not_into_an_addition) {
  GraphMaker make;
  const auto conv = make.node(NodeType::kConv2d, {0, make.constant({8, 3, 3, 8}), xnn::kNoValue}, conv3x3());
  const auto clamp = make.node(NodeType::kClamp, {conv});
  make.last().output_min = 0;
  const auto sum = make.node(NodeType::kAdd, {clamp, 0});
  const auto relu = make.node(NodeType::kClamp, {sum});
  make.last().output_min = 0;
  const auto operators = make.operators(relu);
  EXPECT_THAT(nodes_of(operators), ElementsAre(ElementsAre(0, 1), ElementsAre(2), ElementsAre(3)));
  EXPECT_EQ(operators[2].names.front(), "Clamp");
}

TEST(XnnpackOperators, bounds_of_an_addition_become_a_clamp_of_their_own) {
  GraphMaker make;
  const auto sum = make.node(NodeType::kAdd, {0, 0});
  make.last().output_min = 0;
  const auto operators = make.operators(sum);
  EXPECT_THAT(nodes_of(operators), ElementsAre(ElementsAre(0), ElementsAre(0)));
}

TEST(XnnpackOperators, a_clamp_whose_input_has_other_readers_stays) {
  GraphMaker make;
  const auto conv = make.node(NodeType::kConv2d, {0, make.constant({8, 3, 3, 8}), xnn::kNoValue}, conv3x3());
  const auto clamp = make.node(NodeType::kClamp, {conv});
  make.last().output_min = 0;
  const auto sum = make.node(NodeType::kAdd, {clamp, conv});
  EXPECT_EQ(make.operators(sum).size(), 3u);
}

TEST(XnnpackOperators, two_clamps_in_a_row_are_one) {
  GraphMaker make;
  const auto sum = make.node(NodeType::kAdd, {0, make.constant({1})});
  const auto low = make.node(NodeType::kClamp, {sum});
  make.last().output_min = 0;
  const auto high = make.node(NodeType::kClamp, {low});
  make.last().output_max = 6;
  EXPECT_THAT(nodes_of(make.operators(high)), ElementsAre(ElementsAre(0), ElementsAre(1, 2)));
}

TEST(XnnpackOperators, a_chain_between_bytes_becomes_a_table) {
  GraphMaker make;
  const auto bytes = make.value(DataType::kQint8, xnn::kExternalInput);
  const auto real = make.node(NodeType::kConvert, {bytes});
  const auto gelu = make.node(NodeType::kGelu, {real});
  const auto back = make.node(NodeType::kConvert, {gelu}, {}, DataType::kQint8);
  const auto operators = make.operators(back);
  EXPECT_THAT(nodes_of(operators), ElementsAre(ElementsAre(0, 1, 2)));
  EXPECT_EQ(operators[0].names.front(), "Invalid Unary Op");
}

TEST(XnnpackOperators, a_square_is_no_multiplication) {
  GraphMaker make;
  EXPECT_THAT(make.operators(make.node(NodeType::kMultiply, {0, 0})).at(0).names, ElementsAre("Square"));
}

TEST(XnnpackOperators, a_transpose_before_a_product_is_left_out_when_only_the_last_two_dims_swap) {
  for (const bool is_last : {true, false}) {
    GraphMaker make;
    const auto other = make.value(DataType::kFp32, xnn::kExternalInput);
    const std::vector<std::uint32_t> perm = is_last ? std::vector<std::uint32_t>{0, 2, 1} : std::vector<std::uint32_t>{2, 0, 1};
    const auto turned = make.node(NodeType::kStaticTranspose, {other}, xnn::Transpose{perm});
    const auto product = make.node(NodeType::kBatchMatrixMultiply, {0, turned});
    EXPECT_EQ(make.operators(product).size(), is_last ? 1u : 2u);
  }
}

TEST(XnnpackOperators, reshapes_in_a_row_are_one_unless_a_size_is_left_open) {
  for (const std::uint32_t first : {8u, 0u}) {
    GraphMaker make;
    const auto one = make.node(NodeType::kStaticReshape, {0}, xnn::Reshape{{16, 8}});
    const auto two = make.node(NodeType::kStaticReshape, {one}, xnn::Reshape{{first, 16}});
    EXPECT_EQ(make.operators(two).size(), first == 0 ? 2u : 1u);
  }
}

TEST(XnnpackOperators, what_is_quantised_on_the_fly_may_be_done_by_the_product_that_reads_it) {
  GraphMaker make;
  const auto bytes = make.node(NodeType::kConvert, {0}, {}, DataType::kQdint8);
  const auto product = make.node(NodeType::kFullyConnected, {bytes, make.constant({8, 8}), xnn::kNoValue});
  const auto operators = make.operators(product);
  ASSERT_EQ(operators.size(), 2u);
  EXPECT_EQ(operators[0].folds_into, 1u);
  EXPECT_THAT(operators[0].names, ElementsAre(kDynamicConvert));

  GraphMaker other;
  const auto quantised = other.node(NodeType::kConvert, {0}, {}, DataType::kQdint8);
  const auto conv = other.node(NodeType::kConv2d, {quantised, other.constant({8, 3, 3, 8}), xnn::kNoValue}, conv3x3());
  EXPECT_EQ(other.operators(conv).at(0).folds_into, std::nullopt);
}

TEST(XnnpackOperators, what_nothing_reads_is_not_run) {
  GraphMaker make;
  make.node(NodeType::kSigmoid, {0});
  const auto used = make.node(NodeType::kTanh, {0});
  EXPECT_THAT(nodes_of(make.operators(used)), ElementsAre(ElementsAre(1)));
}

TEST(XnnpackOperators, a_padding_of_images_with_zero_is_folded_into_the_convolution) {
  GraphMaker make;
  const auto padded = make.node(NodeType::kStaticConstantPad, {0}, xnn::Pad{{0, 1, 1, 0}, {0, 1, 1, 0}, 0});
  const auto conv = make.node(NodeType::kConv2d, {padded, make.constant({8, 3, 3, 8}), xnn::kNoValue}, conv3x3());
  EXPECT_THAT(nodes_of(make.operators(conv)), ElementsAre(ElementsAre(0, 1)));
}

TEST(XnnpackNames, labels_are_read_up_to_the_parenthesis) {
  EXPECT_EQ(xnnpack_label_name("Convolution (NHWC, F32) IGEMM #12"), "Convolution");
  EXPECT_EQ(xnnpack_label_name("Convert (NC) #2"), "Convert");
  EXPECT_EQ(xnnpack_label_name("Convert (NC, F32, QDU8) #2"), kDynamicConvert);
  EXPECT_EQ(xnnpack_label_name("Invalid Unary Op #1"), "Invalid Unary Op");
}

}  // namespace
}  // namespace etalon::analysis
