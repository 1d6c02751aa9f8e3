#include "frontend/pt2/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "frontend/pt2/interpreter_testing.h"
#include "frontend/pt2/program_testing.h"

namespace etalon::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Maker = ProgramMaker;

HostTensor floats(const Dims& sizes, const std::vector<float>& values) {
  HostTensor out{DType::kFloat32, sizes, std::vector<std::byte>(values.size() * sizeof(float))};
  std::memcpy(out.data.data(), values.data(), out.data.size());
  return out;
}

std::vector<std::vector<float>> run(Maker& maker, const std::vector<HostTensor>& inputs) {
  const auto graph = import_model(maker.model(), {});
  EXPECT_TRUE(graph.ok()) << graph.error().message();
  if (!graph.ok()) return {};
  const auto outputs = interpret(*graph, inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.error().message();
  std::vector<std::vector<float>> values;
  if (outputs.ok()) {
    for (const HostTensor& tensor : *outputs) values.push_back(tensor.as_floats());
  }
  return values;
}

TEST(ImportPt2, fills_defaults_that_the_archive_leaves_out) {
  Maker maker;
  maker.input("x", {2, 3})
      .node("flatten", "aten.flatten.using_ints", {Maker::arg("self", "x")}, {6})
      .output("flatten");
  EXPECT_THAT(run(maker, {floats(Dims{2, 3}, {1, 2, 3, 4, 5, 6})}),
              ElementsAre(ElementsAre(1, 2, 3, 4, 5, 6)));
}

TEST(ImportPt2, keeps_the_exporters_names_and_places) {
  Maker maker;
  maker.input("x", {2}).node("relu", "aten.relu.default", {Maker::arg("self", "x")}, {2}).output("relu");
  const auto graph = import_model(maker.model(), {});
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(graph->method, "forward");
  ASSERT_EQ(graph->nodes.size(), 1u);
  EXPECT_EQ((*graph)[graph->nodes[0].outs[0]].name, "relu");
  EXPECT_EQ(graph->nodes[0].origin.source_op, "aten::relu");
  EXPECT_THAT(graph->nodes[0].origin.stack_trace, HasSubstr("net.py"));
}

TEST(ImportPt2, a_weight_over_the_limit_is_refused_by_name) {
  Maker maker;
  maker.input("x", {3})
      .buffer("big", {1, 2, 3})
      .node("sum", "aten.add.Tensor", {Maker::arg("self", "x"), Maker::arg("other", "b_big")}, {3})
      .output("sum");
  ImportOptions options;
  options.max_tensor_bytes = 3 * sizeof(float);
  EXPECT_TRUE(import_model(maker.model(), {}, options).ok());
  --options.max_tensor_bytes;
  const auto refused = import_model(maker.model(), {}, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kResource);
  EXPECT_THAT(refused.error().message(), HasSubstr("big"));
}

TEST(ImportPt2, a_write_through_a_view_reaches_its_base_and_other_views) {
  // y = x * 1; a = y[0]; b = y.view(-1); a.add_(10): y and b see it.
  Maker maker;
  maker.input("x", {2, 2})
      .node("y", "aten.mul.Tensor", {Maker::arg("self", "x"), Maker::arg("other", std::int64_t{1})}, {2, 2})
      .node(
          "a", "aten.select.int",
          {Maker::arg("self", "y"), Maker::arg("dim", std::int64_t{0}), Maker::arg("index", std::int64_t{0})},
          {2})
      .node("b", "aten.view.default", {Maker::arg("self", "y"), Maker::arg("size", Maker::Sizes{4})}, {4})
      .node("c", "aten.add_.Tensor", {Maker::arg("self", "a"), Maker::arg("other", std::int64_t{10})}, {2})
      .output("y")
      .output("b")
      .output("c");
  EXPECT_THAT(run(maker, {floats(Dims{2, 2}, {1, 2, 3, 4})}),
              ElementsAre(ElementsAre(11, 12, 3, 4), ElementsAre(11, 12, 3, 4), ElementsAre(11, 12)));
}

TEST(ImportPt2, a_write_to_the_base_makes_views_stale) {
  Maker maker;
  maker.input("x", {2, 2})
      .node("y", "aten.mul.Tensor", {Maker::arg("self", "x"), Maker::arg("other", std::int64_t{1})}, {2, 2})
      .node("t", "aten.t.default", {Maker::arg("self", "y")}, {2, 2})
      .node("z", "aten.zero_.default", {Maker::arg("self", "y")}, {2, 2})
      .output("t");
  EXPECT_THAT(run(maker, {floats(Dims{2, 2}, {1, 2, 3, 4})}), ElementsAre(ElementsAre(0, 0, 0, 0)));
}

TEST(ImportPt2, views_without_an_inverse_of_their_own_write_back_by_number) {
  // The diagonal of y becomes zero.
  Maker maker;
  maker.input("x", {2, 2})
      .node("y", "aten.mul.Tensor", {Maker::arg("self", "x"), Maker::arg("other", std::int64_t{1})}, {2, 2})
      .node("d", "aten.diagonal.default", {Maker::arg("self", "y")}, {2})
      .node("z", "aten.zero_.default", {Maker::arg("self", "d")}, {2})
      .output("y");
  EXPECT_THAT(run(maker, {floats(Dims{2, 2}, {1, 2, 3, 4})}), ElementsAre(ElementsAre(0, 2, 3, 0)));
}

TEST(ImportPt2, a_copy_does_not_share) {
  Maker maker;
  maker.input("x", {2})
      .node("y", "aten.mul.Tensor", {Maker::arg("self", "x"), Maker::arg("other", std::int64_t{1})}, {2})
      .node("copy", "aten.clone.default", {Maker::arg("self", "y")}, {2})
      .node("z", "aten.zero_.default", {Maker::arg("self", "y")}, {2})
      .output("copy");
  EXPECT_THAT(run(maker, {floats(Dims{2}, {1, 2})}), ElementsAre(ElementsAre(1, 2)));
}

TEST(ImportPt2, a_buffer_written_in_place_becomes_state) {
  Maker maker;
  maker.buffer("count", {1, 2})
      .input("x", {2})
      .node("add_", "aten.add_.Tensor", {Maker::arg("self", "b_count"), Maker::arg("other", "x")}, {2})
      .node("twice", "aten.mul.Tensor", {Maker::arg("self", "b_count"), Maker::arg("other", std::int64_t{2})},
            {2})
      .output("twice");
  const auto graph = import_model(maker.model(), {});
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_EQ(graph->outputs.size(), 2u);
  EXPECT_EQ(graph->outputs[0].kind, ir::Output::Kind::kStateUpdate);
  EXPECT_TRUE(graph->constants[ir::index_of(graph->outputs[0].state)].is_state);
  EXPECT_THAT(run(maker, {floats(Dims{2}, {10, 20})}), ElementsAre(ElementsAre(11, 22), ElementsAre(22, 44)));
}

TEST(ImportPt2, refuses_to_change_an_input_and_says_what_to_write) {
  Maker maker;
  maker.input("x", {2}).node("relu_", "aten.relu_.default", {Maker::arg("self", "x")}, {2}).output("relu_");
  const auto graph = import_model(maker.model(), {});
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(graph.error().message(), HasSubstr("x = x.clone()"));
}

TEST(ImportPt2, lists_all_unknown_operators_at_once) {
  Maker maker;
  maker.input("x", {2})
      .node("a", "aten.no_such.default", {Maker::arg("self", "x")}, {2})
      .node("b", "aten.neither.default", {Maker::arg("self", "a")}, {2})
      .node("c", "aten.no_such.default", {Maker::arg("self", "b")}, {2})
      .output("c");
  const auto graph = import_model(maker.model(), {});
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(graph.error().message(), HasSubstr("aten::no_such (2 times, first at net.py:7 in forward)"));
  EXPECT_THAT(graph.error().message(), HasSubstr("aten::neither (1 time"));
}

TEST(ImportPt2, ties_names_of_one_payload) {
  Maker maker;
  maker.buffer("first", {1, 2}).buffer("second", {3, 4}).input("x", {2});
  maker.model().weights["second"] = maker.model().weights["first"];
  maker.node("a", "aten.add.Tensor", {Maker::arg("self", "x"), Maker::arg("other", "b_first")}, {2})
      .node("b", "aten.add.Tensor", {Maker::arg("self", "a"), Maker::arg("other", "b_second")}, {2})
      .output("b");
  const auto graph = import_model(maker.model(), {});
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(graph->constants.size(), 1u);
}

TEST(ImportPt2, gathers_weights_that_are_stored_strided) {
  Maker maker;
  maker.buffer("w", {1, 2, 3, 4}).input("x", {2, 2});
  auto& stored = maker.model().weights["w"];
  stored.sizes = {2, 2};
  stored.strides = {1, 2};
  maker.tensor("b_w", {2, 2})
      .node("a", "aten.add.Tensor", {Maker::arg("self", "x"), Maker::arg("other", "b_w")}, {2, 2})
      .output("a");
  EXPECT_THAT(run(maker, {floats(Dims{2, 2}, {0, 0, 0, 0})}), ElementsAre(ElementsAre(1, 3, 2, 4)));
}

TEST(ImportPt2, reads_an_undefined_name_as_damage) {
  Maker maker;
  maker.input("x", {2}).node("a", "aten.relu.default", {Maker::arg("self", "nowhere")}, {2}).output("a");
  const auto graph = import_model(maker.model(), {});
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code(), ErrorCode::kInvalidInput);
}

TEST(ImportPt2, refuses_lists_of_another_length_than_the_operator_has) {
  Maker maker;
  maker.input("x", {1, 2, 4, 4});
  Maker::Args args = {Maker::arg("self", "x")};
  for (const char* name : {"kernel_size", "dilation", "padding", "stride"})
    args.push_back(Maker::arg(name, Maker::Sizes{}));
  maker.node("a", "aten.im2col.default", args, {1, 8, 9}).output("a");
  const auto graph = import_model(maker.model(), {});
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(graph.error().message(), HasSubstr("argument kernel_size has 0 items, want 2"));
}

TEST(ImportPt2, refuses_bytes_that_are_no_archive) {
  EXPECT_FALSE(import_pt2(as_byte_span("not an archive")).ok());
}

}  // namespace
}  // namespace etalon::frontend
