#include <gtest/gtest.h>

#include "formats/pte/pte.h"
#include "formats/sample_test.h"

namespace etalon::formats::pte {
namespace {

std::vector<std::byte> pattern(std::size_t size, int seed) {
  std::vector<std::byte> out(size);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<std::byte>(i * 7 + static_cast<std::size_t>(seed));
  return out;
}

// A decoded program, turned into what the writer takes.
ProgramToWrite to_write(const Program& program) {
  ProgramToWrite out;
  out.plans = program.plans;
  std::vector<Delegate*> delegates;
  const auto cut = [](const Subsegments& from, std::vector<Blob>& to) {
    for (std::size_t i = 1; i < from.offsets.size(); ++i) {
      const std::uint64_t end = i + 1 < from.offsets.size() ? from.offsets[i + 1] : from.data.size();
      to.push_back(Blob::borrow(*slice(from.data, from.offsets[i], end - from.offsets[i])));
    }
  };
  cut(program.constants, out.constants);
  if (!program.mutable_data.empty()) cut(program.mutable_data[0], out.mutable_data);
  for (ExecutionPlan& plan : out.plans) {
    for (Delegate& delegate : plan.delegates) {
      out.delegate_payloads.push_back(Blob::borrow(delegate.payload));
      delegate.index = static_cast<std::uint32_t>(out.delegate_payloads.size() - 1);
    }
  }
  for (const NamedData& named : program.named_data)
    out.named_data.push_back({named.key, Blob::borrow(named.data), 16});
  return out;
}

Tensor float_tensor(std::vector<std::int32_t> sizes) {
  Tensor out;
  out.sizes = std::move(sizes);
  for (std::size_t i = 0; i < out.sizes.size(); ++i) out.dim_order.push_back(static_cast<std::uint8_t>(i));
  return out;
}

// add(x, constant) planned into buffer 1.
ProgramToWrite small_program() {
  ProgramToWrite out;
  ExecutionPlan plan;
  plan.name = "forward";
  Tensor input = float_tensor({4});
  input.allocation = Allocation{1, 0};
  Tensor constant = float_tensor({4});
  constant.data_buffer_idx = 2;
  Tensor output = float_tensor({4});
  output.allocation = Allocation{1, 16};
  plan.values = {input, constant, Int{1}, output};
  plan.inputs = {0};
  plan.outputs = {3};
  plan.operators = {{"aten::add", "out"}};
  Chain chain;
  chain.instructions = {KernelCall{0, {0, 1, 2, 3, 3}}};
  plan.chains = {chain};
  plan.planned_buffer_sizes = {0, 32};
  out.plans = {plan};
  out.constants.push_back(Blob::own(pattern(3, 1)));
  out.constants.push_back(Blob::own(pattern(16, 2)));
  return out;
}

void expect_same_plan(const ExecutionPlan& a, const ExecutionPlan& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.encoded_inputs, b.encoded_inputs);
  EXPECT_EQ(a.encoded_outputs, b.encoded_outputs);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  EXPECT_EQ(a.planned_buffer_sizes, b.planned_buffer_sizes);
  ASSERT_EQ(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    ASSERT_EQ(a.values[i].index(), b.values[i].index()) << i;
    const auto* left = std::get_if<Tensor>(&a.values[i]);
    if (left == nullptr) continue;
    const auto& right = std::get<Tensor>(b.values[i]);
    EXPECT_EQ(left->sizes, right.sizes);
    EXPECT_EQ(left->dim_order, right.dim_order);
    EXPECT_EQ(left->dtype, right.dtype);
    EXPECT_EQ(left->allocation.has_value(), right.allocation.has_value());
    EXPECT_EQ(left->data_buffer_idx, right.data_buffer_idx);
  }
  ASSERT_EQ(a.chains.size(), b.chains.size());
  EXPECT_EQ(a.chains[0].instructions.size(), b.chains[0].instructions.size());
  ASSERT_EQ(a.operators.size(), b.operators.size());
  for (std::size_t i = 0; i < a.operators.size(); ++i)
    EXPECT_EQ(a.operators[i].full_name(), b.operators[i].full_name());
  ASSERT_EQ(a.delegates.size(), b.delegates.size());
  for (std::size_t i = 0; i < a.delegates.size(); ++i) {
    EXPECT_EQ(a.delegates[i].id, b.delegates[i].id);
    EXPECT_EQ(a.delegates[i].in_segment, b.delegates[i].in_segment);
    EXPECT_EQ(copy_of(a.delegates[i].payload), copy_of(b.delegates[i].payload));
  }
}

TEST(PteEncode, writes_real_programs_back_with_the_same_layout) {
  for (const char* name : {"tiny_portable.pte", "tiny_xnnpack.pte", "state.pte", "external.pte"}) {
    SCOPED_TRACE(name);
    const auto file = sample(name);
    const auto before = decode(file.bytes());
    ASSERT_TRUE(before.ok());
    const auto bytes = encode_to_bytes(to_write(*before));
    ASSERT_TRUE(bytes.ok()) << bytes.error().message();
    const auto after = decode(*bytes);
    ASSERT_TRUE(after.ok()) << after.error().message();
    ASSERT_EQ(before->plans.size(), after->plans.size());
    for (std::size_t i = 0; i < before->plans.size(); ++i)
      expect_same_plan(before->plans[i], after->plans[i]);
    EXPECT_EQ(before->constants.offsets, after->constants.offsets);
    EXPECT_EQ(before->has_extended_header, after->has_extended_header);
    EXPECT_EQ(before->mutable_data.size(), after->mutable_data.size());
    ASSERT_EQ(before->segments.size(), after->segments.size());
    for (std::size_t i = 0; i < before->segments.size(); ++i) {
      EXPECT_EQ(before->segments[i].offset, after->segments[i].offset) << i;
      EXPECT_EQ(before->segments[i].size, after->segments[i].size) << i;
    }
    ASSERT_EQ(before->named_data.size(), after->named_data.size());
    for (std::size_t i = 0; i < before->named_data.size(); ++i) {
      EXPECT_EQ(before->named_data[i].key, after->named_data[i].key);
      EXPECT_EQ(copy_of(before->named_data[i].data), copy_of(after->named_data[i].data));
    }
  }
}

TEST(PteEncode, aligns_constants_and_segments) {
  const auto bytes = encode_to_bytes(small_program());
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto program = decode(*bytes);
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_EQ(program->constants.offsets, (std::vector<std::uint64_t>{0, 0, 16}));
  EXPECT_EQ(program->segment_base_offset % 128, 0U);
  EXPECT_EQ(program->segment_base_offset + 32, bytes->size());
  const auto data = tensor_data(*program, std::get<Tensor>(program->plans[0].values[1]));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(copy_of(*data), pattern(16, 2));
}

TEST(PteEncode, stores_equal_constants_once_even_in_other_pieces) {
  ProgramToWrite program = small_program();
  const auto content = pattern(16, 2);
  program.constants.push_back(Blob{{Bytes(content).first(5), Bytes(content).subspan(5, 6)}, pattern(16, 2)});
  program.constants.back().owned.erase(program.constants.back().owned.begin(),
                                       program.constants.back().owned.begin() + 11);
  Tensor again = float_tensor({4});
  again.data_buffer_idx = 3;
  program.plans[0].values.push_back(again);
  const auto bytes = encode_to_bytes(program);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto decoded = decode(*bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->constants.offsets.size(), 3U);
  EXPECT_EQ(std::get<Tensor>(decoded->plans[0].values[4]).data_buffer_idx, 2U);
}

TEST(PteEncode, leaves_the_header_out_when_there_are_no_data) {
  ProgramToWrite program = small_program();
  std::get<Tensor>(program.plans[0].values[1]).data_buffer_idx = 0;
  program.constants.resize(1);
  const auto bytes = encode_to_bytes(program);
  ASSERT_TRUE(bytes.ok());
  EXPECT_NE(as_text(Bytes(*bytes).subspan(8, 4)), "eh00");
  const auto decoded = decode(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(decoded->constants.offsets, std::vector<std::uint64_t>{0});
  ASSERT_EQ(decoded->segments.size(), 1U);
  EXPECT_EQ(decoded->segments[0].size, 0U);
}

TEST(PteEncode, shares_equal_delegate_payloads_and_keeps_empty_ones_inline) {
  ProgramToWrite program = small_program();
  program.delegate_payloads = {Blob::own(pattern(40, 9)), Blob::own(pattern(40, 9)), Blob{}};
  for (std::uint32_t i = 0; i < 3; ++i) {
    Delegate delegate;
    delegate.id = "Backend";
    delegate.index = i;
    delegate.compile_specs = {{"key", pattern(3, 0)}};
    program.plans[0].delegates.push_back(delegate);
  }
  program.named_data = {{"a", Blob::own(pattern(8, 1)), 256}, {"b", Blob::own(pattern(8, 1)), 1}};
  const auto bytes = encode_to_bytes(program);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto decoded = decode(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  const auto& delegates = decoded->plans[0].delegates;
  EXPECT_EQ(delegates[0].index, delegates[1].index);
  EXPECT_EQ(copy_of(delegates[1].payload), pattern(40, 9));
  EXPECT_FALSE(delegates[2].in_segment);
  EXPECT_TRUE(delegates[2].payload.empty());
  EXPECT_EQ(delegates[0].compile_specs[0].value, pattern(3, 0));
  EXPECT_EQ(decoded->segments.size(), 3U);
  EXPECT_EQ(decoded->find_named("a")->segment_index, decoded->find_named("b")->segment_index);
  EXPECT_EQ(decoded->segments[2].offset % 256, 0U);
}

TEST(PteEncode, writes_every_kind_of_value_and_instruction) {
  ProgramToWrite program = small_program();
  ExecutionPlan& plan = program.plans[0];
  plan.values.insert(plan.values.end(),
                     {Null{}, Bool{true}, Double{2.5}, String{"text"}, IntList{{2, 2}}, DoubleList{{0.5}},
                      BoolList{{1, 0}}, TensorList{{0, 3}}, OptionalTensorList{{-1, 0}}});
  plan.chains[0].instructions.insert(plan.chains[0].instructions.end(),
                                     {MoveCall{0, 3}, JumpFalseCall{5, 4}, FreeCall{3}});
  plan.chains[0].stacktrace = {{{"model.py", 3, "forward", "x + y"}}};
  const auto bytes = encode_to_bytes(program);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto decoded = decode(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  expect_same_plan(plan, decoded->plans[0]);
  const auto& values = decoded->plans[0].values;
  EXPECT_EQ(std::get<String>(values[7]).value, "text");
  EXPECT_EQ(std::get<IntList>(values[8]).items, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(std::get<OptionalTensorList>(values[12]).items, (std::vector<std::int32_t>{-1, 0}));
  EXPECT_EQ(std::get<JumpFalseCall>(decoded->plans[0].chains[0].instructions[2]).destination, 4);
  EXPECT_EQ(decoded->plans[0].chains[0].stacktrace[0][0].line, 3);
}

struct BadProgram {
  const char* why;
  void (*damage)(ProgramToWrite&);
};

TEST(PteEncode, refuses_numbers_that_refer_to_nothing) {
  const BadProgram cases[] = {
      {"value 9", [](ProgramToWrite& p) { p.plans[0].outputs = {9}; }},
      {"operator 1",
       [](ProgramToWrite& p) {
         p.plans[0].operators.clear();
         p.plans[0].operators.resize(1);
         std::get<KernelCall>(p.plans[0].chains[0].instructions[0]).op_index = 1;
       }},
      {"constant 7", [](ProgramToWrite& p) { std::get<Tensor>(p.plans[0].values[1]).data_buffer_idx = 7; }},
      {"want 16", [](ProgramToWrite& p) { std::get<Tensor>(p.plans[0].values[1]).data_buffer_idx = 1; }},
      {"planned buffer 1",
       [](ProgramToWrite& p) {
         p.plans[0].planned_buffer_sizes = {0, 31};
       }},
      {"not an int", [](ProgramToWrite& p) { p.plans[0].values.push_back(IntList{{0}}); }},
      {"not a tensor", [](ProgramToWrite& p) { p.plans[0].values.push_back(TensorList{{2}}); }},
      {"permutation", [](ProgramToWrite& p) { std::get<Tensor>(p.plans[0].values[0]).dim_order = {1}; }},
      {"no chain", [](ProgramToWrite& p) { p.plans[0].chains.clear(); }},
      {"power", [](ProgramToWrite& p) { p.segment_alignment = 100; }},
      {"reserved", [](ProgramToWrite& p) { p.constants.clear(); }},
  };
  for (const BadProgram& item : cases) {
    ProgramToWrite program = small_program();
    item.damage(program);
    const auto bytes = encode_to_bytes(program);
    ASSERT_FALSE(bytes.ok()) << item.why;
    EXPECT_NE(bytes.error().message().find(item.why), std::string::npos) << bytes.error().message();
  }
}

}  // namespace
}  // namespace etalon::formats::pte
