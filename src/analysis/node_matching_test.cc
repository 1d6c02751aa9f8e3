#include "analysis/node_matching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::analysis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

OperatorRow call_row(const char* name, std::int64_t instruction) {
  OperatorRow row;
  row.name = name;
  row.instruction = instruction;
  row.calls = 1;
  row.avg_ms = 1;
  return row;
}

OperatorRow event_row(const char* label, std::int64_t instruction, std::size_t order) {
  OperatorRow row = call_row(label, instruction);
  row.delegated = true;
  row.order = order;
  return row;
}

NodeFacts call_node(const char* op, std::int64_t instruction) {
  NodeFacts node;
  node.op = op;
  node.instruction = instruction;
  node.dtype = node.compute_dtype = "float32";
  node.inputs = {"float32[1, 8]"};
  node.outputs = {"float32[1, 4]"};
  node.flops = 2e6;
  node.read_bytes = 100;
  node.written_bytes = 50;
  node.weight_bytes = 1000;
  return node;
}

NodeFacts delegate_node(const char* op, std::int64_t place, std::int64_t read, std::int64_t write) {
  NodeFacts node = call_node(op, 0);
  node.node = place;
  node.backend = "XnnpackBackend";
  node.reads = {read};
  node.writes = {write};
  return node;
}

// Instruction 0 is a delegate of three nodes, whose runtime makes two operators of them; instruction 1 an addition.
ModelFacts two_instructions() {
  ModelFacts facts;
  facts.nodes = {delegate_node("Conv2d", 0, 0, 1), delegate_node("Clamp", 1, 1, 2), delegate_node("Softmax", 2, 2, 3),
                 call_node("aten::add.out", 1)};
  facts.runtime_operators = {{0, {"Convolution"}, {0, 1}, std::nullopt}, {0, {"Softmax"}, {2}, std::nullopt}};
  return facts;
}

TEST(NodeMatching, operator_calls_are_known_by_instruction_and_events_by_their_order) {
  Profile profile;
  profile.operators = {event_row("Softmax (NC, F32) #1", 0, 1), event_row("Convolution (NHWC, F32) IGEMM #1", 0, 0),
                       call_row("native_call_add.out", 1)};
  EXPECT_THAT(attach_facts(two_instructions(), SourceMap(), profile), IsEmpty());
  EXPECT_THAT(profile.operators[0].nodes, ElementsAre(2));
  EXPECT_THAT(profile.operators[1].nodes, ElementsAre(0, 1));
  EXPECT_THAT(profile.operators[2].nodes, ElementsAre(3));
  EXPECT_TRUE(profile.has_facts);
  EXPECT_EQ(profile.dtype, "float32");
}

TEST(NodeMatching, work_of_fused_nodes_is_added_and_what_passes_between_them_is_no_traffic) {
  Profile profile;
  profile.operators = {event_row("Convolution (NHWC, F32) IGEMM #1", 0, 0), event_row("Softmax (NC, F32) #1", 0, 1),
                       call_row("native_call_add.out", 1)};
  attach_facts(two_instructions(), SourceMap(), profile);
  const OperatorRow& fused = profile.operators[0];
  EXPECT_DOUBLE_EQ(*fused.flops, 4e6);
  // Two nodes move 1150 each; the value between them, 50 bytes, is neither written nor read.
  EXPECT_DOUBLE_EQ(*fused.bytes, 2 * 1150 - 2 * 50);
  EXPECT_DOUBLE_EQ(*fused.gflops_per_second, 4.0);
  EXPECT_EQ(fused.shape, "1x8 -> 1x4");
}

TEST(NodeMatching, a_value_that_others_read_too_has_to_be_written) {
  ModelFacts facts = two_instructions();
  facts.nodes[3].reads = {1};
  Profile profile;
  profile.operators = {event_row("Convolution (NHWC, F32) IGEMM #1", 0, 0), event_row("Softmax (NC, F32) #1", 0, 1),
                       call_row("native_call_add.out", 1)};
  attach_facts(facts, SourceMap(), profile);
  EXPECT_DOUBLE_EQ(*profile.operators[0].bytes, 2 * 1150);
}

TEST(NodeMatching, kinds_whose_count_differs_stay_unmapped_with_the_reason) {
  Profile profile;
  profile.name = "run";
  profile.operators = {event_row("Convolution (NHWC, F32) IGEMM #1", 0, 0), event_row("Softmax (NC, F32) #1", 0, 1),
                       event_row("Softmax (NC, F32) #2", 0, 2), call_row("native_call_add.out", 1)};
  const auto notes = attach_facts(two_instructions(), SourceMap(), profile);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("2 of 4 operators (2.000 ms) are not mapped")));
  EXPECT_THAT(profile.operators[0].nodes, ElementsAre(0, 1));
  EXPECT_THAT(profile.operators[1].nodes, IsEmpty());
  EXPECT_EQ(profile.operators[1].unmapped, "2 events of 'Softmax' where the payload lets expect 1");
  EXPECT_EQ(profile.operators[1].flops, std::nullopt);
}

TEST(NodeMatching, events_that_tell_their_nodes_are_believed_within_the_payload) {
  Profile profile;
  profile.operators = {event_row("Convolution (NHWC, F32) IGEMM #1", 0, 0), event_row("Copy (NC, X32) #1", 0, 1),
                       event_row("Softmax (NC, F32) #1", 0, 2), call_row("native_call_add.out", 1)};
  profile.operators[0].payload_nodes = {0, 1, 2};
  profile.operators[1].payload_nodes = std::vector<std::size_t>{};
  profile.operators[2].payload_nodes = {7};
  EXPECT_EQ(attach_facts(two_instructions(), SourceMap(), profile).size(), 2u);
  EXPECT_THAT(profile.operators[0].nodes, ElementsAre(0, 1, 2));
  EXPECT_THAT(profile.operators[1].unmapped, HasSubstr("no node of the model"));
  EXPECT_EQ(profile.operators[2].unmapped, "its events name node 7 of a payload with 3");
}

TEST(NodeMatching, another_program_is_left_out) {
  Profile profile;
  profile.name = "run";
  profile.operators = {call_row("native_call_mul.out", 1)};
  EXPECT_THAT(attach_facts(two_instructions(), SourceMap(), profile),
              ElementsAre(HasSubstr("'native_call_mul.out' at instruction 1, the program has 'aten::add.out'")));
  EXPECT_FALSE(profile.has_facts);
  profile.operators = {call_row("native_call_add.out", 0)};
  EXPECT_THAT(attach_facts(two_instructions(), SourceMap(), profile), ElementsAre(HasSubstr("'XnnpackBackend'")));
}

TEST(NodeMatching, a_quantisation_that_its_user_does_belongs_to_the_users_event) {
  ModelFacts facts = two_instructions();
  facts.runtime_operators = {{0, {"Dynamic Convert"}, {0}, 1}, {0, {"Fully Connected"}, {1}, std::nullopt},
                             {0, {"Softmax"}, {2}, std::nullopt}};
  Profile profile;
  profile.operators = {event_row("Fully Connected (NC, QDU8, F32, QC8W) GEMM #1", 0, 0), event_row("Softmax (NC, F32) #1", 0, 1),
                       call_row("native_call_add.out", 1)};
  attach_facts(facts, SourceMap(), profile);
  EXPECT_THAT(profile.operators[0].nodes, ElementsAre(0, 1));

  profile.operators = {event_row("Convert (NC, F32, QDU8) #1", 0, 0), event_row("Fully Connected (NC, F32) GEMM #1", 0, 1),
                       event_row("Softmax (NC, F32) #1", 0, 2), call_row("native_call_add.out", 1)};
  attach_facts(facts, SourceMap(), profile);
  EXPECT_THAT(profile.operators[0].nodes, ElementsAre(0));
  EXPECT_THAT(profile.operators[1].nodes, ElementsAre(1));
}

}  // namespace
}  // namespace etalon::analysis
