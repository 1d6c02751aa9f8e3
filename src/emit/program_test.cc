#include "emit/program.h"

#include <gtest/gtest.h>

#include "emit/edge_graph.h"
#include "ir/text.h"

namespace etalon::emit {
namespace {

namespace pte = formats::pte;

struct Made {
  std::vector<ir::Graph> graphs;
  MethodReport report;
  std::vector<std::byte> bytes;
  pte::Program program;
};

// Emits, encodes and decodes again, so that every index was checked by the decoder.
Made emit_text(std::string_view text, const StorageOptions& options = {}) {
  Made made;
  auto graph = ir::parse(text);
  EXPECT_TRUE(graph.ok()) << graph.error().message();
  made.graphs.push_back(std::move(*graph));
  auto emitted = emit_program(made.graphs, options);
  EXPECT_TRUE(emitted.ok()) << emitted.error().message();
  made.report = emitted->methods[0];
  auto bytes = pte::encode_to_bytes(emitted->program);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message();
  made.bytes = std::move(*bytes);
  auto program = pte::decode(made.bytes);
  EXPECT_TRUE(program.ok()) << program.error().message();
  made.program = std::move(*program);
  return made;
}

const pte::KernelCall& call_at(const Made& made, std::size_t i) {
  return std::get<pte::KernelCall>(made.program.plans[0].chains[0].instructions[i]);
}
std::string op_at(const Made& made, std::size_t i) {
  return made.program.plans[0].operators[static_cast<std::size_t>(call_at(made, i).op_index)].full_name();
}
const pte::Tensor& tensor_at(const Made& made, std::int32_t value) {
  return std::get<pte::Tensor>(made.program.plans[0].values[static_cast<std::size_t>(value)]);
}

TEST(EmitProgram, a_call_has_its_arguments_and_the_output_twice) {
  const Made made = emit_text("graph forward {\n  input %x: f32[2]\n  %y: f32[2] = aten::add.Tensor(%x, %x, 1)\n  return %y\n}\n");
  ASSERT_EQ(made.program.plans[0].chains[0].instructions.size(), 1u);
  EXPECT_EQ(op_at(made, 0), "aten::add.out");
  const auto& args = call_at(made, 0).args;
  ASSERT_EQ(args.size(), 5u);
  EXPECT_EQ(args[0], args[1]);
  EXPECT_EQ(args[3], args[4]);
  EXPECT_EQ(std::get<pte::Int>(made.program.plans[0].values[static_cast<std::size_t>(args[2])]).value, 1);
  EXPECT_EQ(made.program.plans[0].outputs[0], args[3]);
}

TEST(EmitProgram, a_delegate_call_has_its_inputs_and_then_its_outputs) {
  auto graph = ir::parse(
      "graph forward {\n  input %x: f32[2]\n  %y: f32[2] = executorch_call_delegate(0, t[%x])\n    | XnnpackBackend\n"
      "  %z: f32[2] = aten::relu(%y)\n  return %z\n}\n");
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  graph->delegates[0].payload = std::vector<std::byte>(40, std::byte{7});
  graph->delegates[0].named_data = {{"key", ir::Data::owned(std::vector<std::byte>(8, std::byte{1}))}};
  std::vector<ir::Graph> graphs;
  graphs.push_back(std::move(*graph));
  const auto emitted = emit_program(graphs);
  ASSERT_TRUE(emitted.ok()) << emitted.error().message();
  const auto bytes = pte::encode_to_bytes(emitted->program);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto program = pte::decode(*bytes);
  ASSERT_TRUE(program.ok()) << program.error().message();
  const pte::ExecutionPlan& plan = program->plans[0];
  const auto& call = std::get<pte::DelegateCall>(plan.chains[0].instructions[0]);
  EXPECT_EQ(plan.delegates[0].id, "XnnpackBackend");
  EXPECT_EQ(plan.delegates[0].payload.size(), 40u);
  ASSERT_EQ(call.args.size(), 2u);
  EXPECT_EQ(call.args[0], plan.inputs[0]);
  // A delegate may write its output before it has read all of its input.
  const auto& in = std::get<pte::Tensor>(plan.values[static_cast<std::size_t>(call.args[0])]);
  const auto& out = std::get<pte::Tensor>(plan.values[static_cast<std::size_t>(call.args[1])]);
  EXPECT_NE(in.allocation->offset, out.allocation->offset);
  ASSERT_NE(program->find_named("key"), nullptr);
  EXPECT_EQ(program->find_named("key")->data.size(), 8u);
}

TEST(EmitProgram, static_views_share_memory_and_need_no_instruction) {
  const Made made = emit_text(
      "graph forward {\n  input %x: f32[2, 3]\n  %a: f32[2, 3] = aten::neg(%x)\n  %v: f32[6] = aten::view_copy(%a, [6])\n"
      "  %y: f32[6] = aten::exp(%v)\n  return %y\n}\n",
      {.elide_views = true, .in_place = false});
  ASSERT_EQ(made.program.plans[0].chains[0].instructions.size(), 2u);
  EXPECT_EQ(made.report.elided_views, 1u);
  const pte::Tensor& a = tensor_at(made, call_at(made, 0).args.back());
  const pte::Tensor& v = tensor_at(made, call_at(made, 1).args[0]);
  EXPECT_EQ(a.allocation->offset, v.allocation->offset);
  EXPECT_EQ(v.sizes, std::vector<std::int32_t>{6});
}

TEST(EmitProgram, a_view_of_an_input_that_is_returned_is_copied) {
  const Made made = emit_text("graph forward {\n  input %x: f32[2, 3]\n  %v: f32[6] = aten::view_copy(%x, [6])\n  return %v\n}\n");
  ASSERT_EQ(made.program.plans[0].chains[0].instructions.size(), 1u);
  EXPECT_EQ(op_at(made, 0), "aten::view_copy.out");
}

TEST(EmitProgram, dynamic_views_happen_at_run_time) {
  const Made made = emit_text(
      "graph forward {\n  input %x: f32[8~3, 2, 2]\n  %a: f32[8~3, 2, 2] = aten::neg(%x)\n  %n: int(8~3) = aten::sym_size.int(%a, 0)\n"
      "  %v: f32[8~3, 4] = aten::view_copy(%a, [%n, 4])\n  return %v\n}\n");
  EXPECT_EQ(op_at(made, 1), "aten::sym_size.int");
  EXPECT_EQ(call_at(made, 1).args.size(), 3u);
  EXPECT_EQ(op_at(made, 2), "executorch_prim::et_view.default");
  EXPECT_EQ(tensor_at(made, call_at(made, 2).args[2]).dynamism, pte::ShapeDynamism::kDynamicBound);
}

TEST(EmitProgram, elementwise_results_take_the_memory_of_dying_arguments) {
  const Made made = emit_text(
      "graph forward {\n  input %x: f32[64]\n  %a: f32[64] = aten::neg(%x)\n  %b: f32[64] = aten::exp(%a)\n"
      "  %c: f32[64] = aten::add.Tensor(%b, %a, 1)\n  return %c\n}\n");
  // neg takes over x; exp cannot take a, which is used again; add takes one of the two.
  EXPECT_EQ(made.report.in_place, 2u);
  EXPECT_EQ(made.report.memory.planned_bytes, 512u);
}

TEST(EmitProgram, state_is_copied_back_at_the_end) {
  const Made made = emit_text(
      "graph forward {\n  input %x: f32[2]\n  constant %count: f32[2] state = {1, 2}\n"
      "  %n: f32[2] = aten::add.Tensor(%count, %x, 1)\n  update %count = %n\n  return %n, %count\n}\n");
  const auto& plan = made.program.plans[0];
  // add, the clone of the old state that is returned, the copy.
  ASSERT_EQ(plan.chains[0].instructions.size(), 3u);
  EXPECT_EQ(op_at(made, 1), "aten::clone.out");
  EXPECT_EQ(op_at(made, 2), "aten::copy_");
  EXPECT_EQ(call_at(made, 2).args[0], call_at(made, 2).args[3]);
  const pte::Tensor& state = tensor_at(made, call_at(made, 2).args[0]);
  ASSERT_TRUE(state.is_initialised_state());
  const auto data = pte::tensor_data(made.program, state);
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(read_le<float>(*data, 4).value(), 2.0f);
}

TEST(EmitProgram, constants_reach_the_file) {
  const Made made = emit_text(
      "graph forward {\n  input %x: f32[2]\n  constant %w: f32[2] = {3, 4}\n  %y: f32[2] = aten::mul.Tensor(%x, %w)\n  return %y, 7, None\n}\n");
  const pte::Tensor& w = tensor_at(made, call_at(made, 0).args[1]);
  ASSERT_TRUE(w.is_constant());
  EXPECT_EQ(read_le<float>(*pte::tensor_data(made.program, w), 4).value(), 4.0f);
  EXPECT_EQ(made.program.plans[0].outputs.size(), 3u);
}

TEST(EmitProgram, tensor_lists_come_after_their_items) {
  const Made made = emit_text(
      "graph forward {\n  input %x: f32[4]\n  %a: f32[2], %b: f32[2] = aten::split_copy.Tensor(%x, 2, 0)\n"
      "  %c: f32[4] = aten::cat(t[%b, %a], 0)\n  return %c\n}\n");
  const auto& args = call_at(made, 0).args;
  EXPECT_EQ(args[args.size() - 1], args[args.size() - 2]);
  const auto& list = std::get<pte::TensorList>(made.program.plans[0].values[static_cast<std::size_t>(args.back())]);
  EXPECT_EQ(list.items.size(), 2u);
}

TEST(EdgeGraph, names_operators_as_the_edge_dialect_does) {
  auto graph = ir::parse("graph forward {\n  input %x.1: f32[2]\n  %y: f32[2] = aten::add.Tensor(%x.1, %x.1, 1)\n  return %y\n}\n");
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  graph->nodes[0].origin.stack_trace = "File \"m.py\", line 3, in forward";
  const std::string json = edge_graph_json(*graph);
  EXPECT_NE(json.find("executorch.exir.dialects.edge.ops.aten.add.Tensor"), std::string::npos);
  EXPECT_NE(json.find("\"debug_handle\":\"1\""), std::string::npos);
  EXPECT_NE(json.find("line 3, in forward"), std::string::npos);
  EXPECT_NE(json.find("\"x_1\""), std::string::npos);
}

}  // namespace
}  // namespace etalon::emit
