#include <gtest/gtest.h>

#include "base/file.h"
#include "formats/pte/pte.h"
#include "formats/sample_test.h"
#include "program_generated.h"

namespace etalon::formats::pte {
namespace {

TEST(PteDecode, reads_a_portable_program_of_executorch_1_5) {
  const auto file = sample("tiny_portable.pte");
  const auto program = decode(file.bytes());
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_TRUE(program->has_extended_header);
  ASSERT_EQ(program->plans.size(), 1U);
  const ExecutionPlan& plan = program->plans[0];
  EXPECT_EQ(plan.name, "forward");
  EXPECT_EQ(plan.inputs.size(), 1U);
  ASSERT_EQ(plan.outputs.size(), 1U);
  EXPECT_TRUE(plan.delegates.empty());
  std::vector<std::string> names;
  for (const Instruction& instruction : plan.chains[0].instructions) {
    const auto* call = std::get_if<KernelCall>(&instruction);
    ASSERT_NE(call, nullptr);
    names.push_back(plan.operators[static_cast<std::size_t>(call->op_index)].full_name());
  }
  EXPECT_EQ(names.front(), "aten::convolution.out");
  EXPECT_EQ(names.back(), "aten::_softmax.out");
  EXPECT_EQ(program->find_plan("forward"), &program->plans[0]);
  EXPECT_EQ(program->find_plan("backward"), nullptr);
}

TEST(PteDecode, finds_the_constants_of_a_portable_program) {
  const auto file = sample("tiny_portable.pte");
  const auto program = decode(file.bytes());
  ASSERT_TRUE(program.ok());
  std::size_t constant_bytes = 0;
  for (const EValue& value : program->plans[0].values) {
    const auto* tensor = std::get_if<Tensor>(&value);
    if (tensor == nullptr || !tensor->is_constant()) continue;
    const auto data = tensor_data(*program, *tensor);
    ASSERT_TRUE(data.ok());
    constant_bytes += data->size();
  }
  EXPECT_EQ(constant_bytes, 4U * (2 * 9 + 2 + 3 * 8 + 3));  // conv and linear, weight and bias
}

TEST(PteDecode, reads_a_delegated_program) {
  const auto file = sample("tiny_xnnpack.pte");
  const auto program = decode(file.bytes());
  ASSERT_TRUE(program.ok()) << program.error().message();
  const ExecutionPlan& plan = program->plans[0];
  ASSERT_EQ(plan.delegates.size(), 1U);
  EXPECT_EQ(plan.delegates[0].id, "XnnpackBackend");
  EXPECT_TRUE(plan.delegates[0].in_segment);
  EXPECT_EQ(as_text(plan.delegates[0].payload.subspan(4, 4)), "XH00");
  ASSERT_EQ(plan.chains[0].instructions.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<DelegateCall>(plan.chains[0].instructions[0]));
  ASSERT_EQ(program->named_data.size(), 4U);
  EXPECT_EQ(program->named_data[0].key.size(), 64U);
  EXPECT_NE(program->find_named(program->named_data[3].key), nullptr);
  EXPECT_EQ(program->find_named("no such key"), nullptr);
}

TEST(PteDecode, reads_initial_state) {
  const auto file = sample("state.pte");
  const auto program = decode(file.bytes());
  ASSERT_TRUE(program.ok()) << program.error().message();
  int found = 0;
  for (const EValue& value : program->plans[0].values) {
    const auto* tensor = std::get_if<Tensor>(&value);
    if (tensor == nullptr || !tensor->is_initialised_state()) continue;
    const auto data = tensor_data(*program, *tensor);
    ASSERT_TRUE(data.ok()) << data.error().message();
    EXPECT_EQ(read_le<float>(*data, 0), 1.0F);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

TEST(PteDecode, names_external_constants) {
  const auto file = sample("external.pte");
  const auto program = decode(file.bytes());
  ASSERT_TRUE(program.ok()) << program.error().message();
  int found = 0;
  for (const EValue& value : program->plans[0].values) {
    const auto* tensor = std::get_if<Tensor>(&value);
    if (tensor != nullptr && tensor->is_external()) ++found;
  }
  EXPECT_EQ(found, 4);
}

// A program of before constant segments: one tensor whose bytes stand in the flatbuffer.
std::vector<std::byte> legacy_program(std::size_t constant_size) {
  namespace fbp = fb::pte;
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<std::int32_t> sizes = {4};
  const std::vector<std::uint8_t> dim_order = {0};
  const auto tensor = fbp::CreateTensorDirect(builder, 6, 0, &sizes, &dim_order, false, 1);
  const std::vector values = {fbp::CreateEValue(builder, fbp::KernelTypes::Tensor, tensor.Union())};
  const std::vector<std::int32_t> none;
  const std::vector<flatbuffers::Offset<fbp::Instruction>> no_instructions;
  const std::vector chains = {fbp::CreateChainDirect(builder, &none, &none, &no_instructions)};
  const std::vector<std::int64_t> planned = {0};
  const std::vector plans = {fbp::CreateExecutionPlanDirect(builder, "forward", 0, &values, &none, &none,
                                                            &chains, nullptr, nullptr, &planned)};
  const std::vector<std::uint8_t> empty;
  const std::vector<std::uint8_t> content(constant_size, 7);
  const std::vector buffers = {fbp::CreateBufferDirect(builder, &empty),
                               fbp::CreateBufferDirect(builder, &content)};
  fbp::FinishProgramBuffer(builder, fbp::CreateProgramDirect(builder, 0, &plans, &buffers));
  return copy_of({reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()});
}

TEST(PteDecode, reads_constants_inside_the_flatbuffer_of_old_programs) {
  const auto bytes = legacy_program(16);
  const auto program = decode(bytes);
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_FALSE(program->has_extended_header);
  const auto data = tensor_data(*program, std::get<Tensor>(program->plans[0].values[0]));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->size(), 16U);
  EXPECT_EQ((*data)[15], std::byte{7});
  const auto short_one = decode(legacy_program(15));
  ASSERT_FALSE(short_one.ok());
  EXPECT_NE(short_one.error().message().find("holds 15 bytes, want 16"), std::string::npos);
}

TEST(PteDecode, does_not_need_aligned_bytes) {
  const auto file = sample("tiny_xnnpack.pte");
  std::vector<std::byte> shifted(file.bytes().size() + 1);
  std::memcpy(shifted.data() + 1, file.bytes().data(), file.bytes().size());
  const auto program = decode(Bytes(shifted).subspan(1));
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_EQ(as_text(program->plans[0].delegates[0].payload.subspan(4, 4)), "XH00");
}

TEST(PteDecode, names_another_schema_version) {
  auto bytes = copy_of(sample("state.pte").bytes());
  bytes[7] = std::byte{'3'};
  const auto program = decode(bytes);
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(program.error().message().find("ET13"), std::string::npos);
}

TEST(PteDecode, refuses_every_truncation) {
  for (const char* name : {"tiny_portable.pte", "tiny_xnnpack.pte", "state.pte"}) {
    expect_every_truncation_fails(sample(name).bytes(), [](Bytes bytes) { return decode(bytes).ok(); });
  }
}

TEST(PteDecode, survives_every_byte_flip) {
  for (const char* name : {"tiny_xnnpack.pte", "state.pte", "external.pte"}) {
    flip_every_byte(sample(name).bytes(), [](Bytes bytes) { (void)decode(bytes).ok(); });
  }
}

}  // namespace
}  // namespace etalon::formats::pte
