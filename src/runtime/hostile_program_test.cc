// Programs that lie. None may do more than fail with a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/method.h"
#include "runtime/program_testing.h"

namespace etalon::runtime {
namespace {

using namespace testing;  // NOLINT: the builders of this layer
using ::testing::HasSubstr;

// The first message on the way from bytes to an executed method, or "ok".
std::string outcome(const Result<BuiltProgram>& program, MethodOptions options = {}) {
  if (!program.ok()) return program.error().message();
  options.max_instructions = 10000;
  if (options.memory_limit == 0) options.memory_limit = 64 << 20;
  auto method = Method::load(*program->program, program->program->method_names()[0], options);
  if (!method.ok()) return method.error().message();
  const Status status = method->execute();
  return status.ok() ? "ok" : status.error().message();
}

std::string outcome(const PlanBuilder& plan, const MethodOptions& options = {}) {
  // The writer refuses some lies by itself; that is a refusal too.
  return outcome(built(plan), options);
}

PlanBuilder addition() {
  PlanBuilder b;
  const auto x = b.tensor({2, 3});
  const auto out = b.tensor({2, 3});
  b.add(x, x, out);
  b.plan.inputs = {x};
  b.plan.outputs = {out};
  return b;
}

pte::Tensor& tensor_at(PlanBuilder& b, std::size_t i) { return std::get<pte::Tensor>(b.plan.values[i]); }

TEST(HostileProgram, the_honest_one_runs) { EXPECT_EQ(outcome(addition()), "ok"); }

TEST(HostileProgram, kernel_with_too_few_or_too_many_arguments) {
  for (const Indices& args : {Indices{}, Indices{0}, Indices{0, 0, 1, 1}, Indices{0, 0, 2, 1, 1, 1, 1}}) {
    PlanBuilder b = addition();
    std::get<pte::KernelCall>(b.plan.chains[0].instructions[0]).args = args;
    EXPECT_THAT(outcome(b), HasSubstr("arguments, want 5")) << args.size();
  }
}

TEST(HostileProgram, arguments_of_the_wrong_kind) {
  for (std::size_t place : {0u, 1u, 2u, 3u}) {
    PlanBuilder b = addition();
    const auto text = b.value(pte::String{"x"});
    std::get<pte::KernelCall>(b.plan.chains[0].instructions[0]).args[place] = text;
    EXPECT_THAT(outcome(b), HasSubstr("instruction 0 (aten::add.out)")) << place;
  }
}

TEST(HostileProgram, values_that_do_not_exist) {
  for (const std::int32_t index : {-1, 1000, 0x7fffffff}) {
    PlanBuilder b = addition();
    std::get<pte::KernelCall>(b.plan.chains[0].instructions[0]).args[1] = index;
    EXPECT_NE(outcome(b), "ok") << index;
    PlanBuilder c = addition();
    c.plan.inputs = {index};
    EXPECT_NE(outcome(c), "ok") << index;
    PlanBuilder d = addition();
    d.instruction(pte::MoveCall{0, index});
    EXPECT_NE(outcome(d), "ok") << index;
    PlanBuilder e = addition();
    e.instruction(pte::JumpFalseCall{0, index});
    EXPECT_NE(outcome(e), "ok") << index;
  }
}

TEST(HostileProgram, tensors_outside_of_their_buffer) {
  for (const std::uint64_t offset : {std::uint64_t{64}, std::uint64_t{1} << 40, ~std::uint64_t{0} - 3}) {
    PlanBuilder b = addition();
    tensor_at(b, 0).allocation->offset = offset;
    EXPECT_NE(outcome(b), "ok") << offset;
  }
  PlanBuilder b = addition();
  tensor_at(b, 0).allocation->memory_id = 9;
  EXPECT_NE(outcome(b), "ok");
  PlanBuilder c = addition();
  tensor_at(c, 0).allocation->offset = 2;
  EXPECT_THAT(outcome(c), HasSubstr("multiple of the element size"));
}

TEST(HostileProgram, shapes_that_do_not_fit_together) {
  PlanBuilder b = addition();
  tensor_at(b, 1).sizes = {3, 2};
  EXPECT_THAT(outcome(b), HasSubstr("fixed shape"));
  PlanBuilder c = addition();
  tensor_at(c, 1).dtype = 4;
  EXPECT_NE(outcome(c), "ok");
}

TEST(HostileProgram, memory_over_the_limit) {
  PlanBuilder b = addition();
  b.plan.planned_buffer_sizes[1] = std::int64_t{1} << 40;
  EXPECT_THAT(outcome(b), HasSubstr("the limit is"));
  PlanBuilder c = addition();
  c.plan.planned_buffer_sizes = {0, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max(),
                                 std::numeric_limits<std::int64_t>::max()};
  EXPECT_THAT(outcome(c), HasSubstr("the limit is"));
  PlanBuilder d;
  d.value(PlanBuilder::shape({1 << 20, 1 << 20}));
  EXPECT_THAT(outcome(d), HasSubstr("the limit is"));
}

TEST(HostileProgram, sizes_whose_product_overflows) {
  PlanBuilder b;
  b.value(PlanBuilder::shape({0x7fffffff, 0x7fffffff, 0x7fffffff, 0}));
  EXPECT_NE(outcome(b), "ok");
}

TEST(HostileProgram, moves_between_kinds) {
  PlanBuilder b = addition();
  const auto number = b.integer(1 << 20);
  b.plan.chains[0].instructions.insert(b.plan.chains[0].instructions.begin(), pte::MoveCall{number, 0});
  EXPECT_THAT(outcome(b), HasSubstr("different kinds"));
  PlanBuilder c = addition();
  const auto none = c.none();
  c.plan.chains[0].instructions.insert(c.plan.chains[0].instructions.begin(), pte::MoveCall{none, 0});
  EXPECT_THAT(outcome(c), HasSubstr("different kinds"));
}

TEST(HostileProgram, a_moved_tensor_of_another_shape_is_seen_before_the_kernel_runs) {
  PlanBuilder b = addition();
  const auto large = b.tensor({50, 3});
  b.plan.chains[0].instructions.insert(b.plan.chains[0].instructions.begin(), pte::MoveCall{large, 0});
  EXPECT_THAT(outcome(b), HasSubstr("fixed shape"));
}

TEST(HostileProgram, an_output_that_is_also_the_input_of_another_shape) {
  PlanBuilder b;
  const auto x = b.dynamic({8});
  const auto list = b.tensors({x, x});
  const auto dim = b.integer(0);
  b.kernel("aten::cat", "out", {list, dim, x, x});
  EXPECT_THAT(outcome(b), HasSubstr("shares memory"));
}

TEST(HostileProgram, indices_in_the_memory_of_the_output) {
  PlanBuilder b;
  const auto table = b.tensor({4});
  const auto index = b.tensor({4}, 4);
  pte::Tensor out = PlanBuilder::shape({4});
  out.allocation = tensor_at(b, static_cast<std::size_t>(index)).allocation;
  const auto result = b.value(out);
  b.kernel("aten::index_select", "out", {table, b.integer(0), index, result, result});
  EXPECT_THAT(outcome(b), HasSubstr("shares memory"));
}

TEST(HostileProgram, a_view_of_a_constant_cannot_be_written_through) {
  PlanBuilder b;
  const auto weight = b.constant({3}, 1);
  const auto view = b.tensor({3});
  const auto x = b.tensor({3});
  b.kernel("executorch_prim::et_view", "default", {weight, b.ints({3}), view});
  b.mul(x, x, view);
  pte::ProgramToWrite source;
  source.constants.push_back(floats({2, 3, 4}));
  source.plans = {b.plan};
  EXPECT_THAT(outcome(built(source)), HasSubstr("over a constant"));
}

TEST(HostileProgram, a_view_that_lands_on_an_index_is_seen_before_the_kernel_runs) {
  PlanBuilder b;
  const auto table = b.tensor({4}, 4);
  const auto index = b.tensor({4}, 4);
  const auto out = b.tensor({4}, 4);
  b.kernel("executorch_prim::et_view", "default", {index, b.ints({4}), out});
  b.kernel("aten::index_select", "out", {table, b.integer(0), index, out, out});
  EXPECT_THAT(outcome(b), HasSubstr("shares memory"));
}

TEST(HostileProgram, an_input_of_the_method_cannot_be_a_view) {
  PlanBuilder b;
  const auto x = b.tensor({4});
  const auto view = b.tensor({4});
  b.kernel("executorch_prim::et_view", "default", {x, b.ints({4}), view});
  b.plan.inputs = {view};
  EXPECT_THAT(outcome(b), HasSubstr("also an input"));
}

TEST(HostileProgram, delegates_without_a_backend_are_named) {
  PlanBuilder b = addition();
  b.plan.delegates.push_back({"GpuBackend", true, 0, {}, {}});
  pte::ProgramToWrite source;
  source.delegate_payloads.push_back(floats({1}));
  source.plans.push_back(b.plan);
  EXPECT_THAT(outcome(built(source)), HasSubstr("made for GpuBackend"));
}

TEST(HostileProgram, every_truncation_is_an_error_or_harmless) {
  PlanBuilder b = addition();
  pte::ProgramToWrite source;
  source.constants.push_back(floats({1, 2, 3}));
  source.plans.push_back(b.plan);
  const auto bytes = pte::encode_to_bytes(source);
  ASSERT_TRUE(bytes.ok());
  for (std::size_t length = 0; length < bytes->size(); ++length) {
    auto copy = aligned_copy(Bytes(*bytes).first(length));
    ASSERT_TRUE(copy.ok());
    const auto program = Program::from_bytes(Bytes(copy->span()));
    if (program.ok()) {
      auto method = Method::load(*program, "forward");
      if (method.ok()) EXPECT_TRUE(method->execute().ok());
    }
  }
}

TEST(HostileProgram, every_flipped_byte_is_an_error_or_harmless) {
  const auto bytes = pte::encode_to_bytes([] {
    pte::ProgramToWrite source;
    source.constants.push_back(floats({1, 2, 3}));
    source.plans.push_back(addition().plan);
    return source;
  }());
  ASSERT_TRUE(bytes.ok());
  MethodOptions options;
  options.memory_limit = 1 << 20;
  options.max_instructions = 100;
  for (std::size_t i = 0; i < bytes->size(); ++i) {
    for (const std::uint8_t flip : {0x01, 0x80, 0xff}) {
      auto copy = aligned_copy(Bytes(*bytes));
      copy->data()[i] ^= std::byte{flip};
      const auto program = Program::from_bytes(Bytes(copy->span()));
      if (!program.ok()) continue;
      auto method = Method::load(*program, program->method_names()[0], options);
      if (method.ok()) static_cast<void>(method->execute());
    }
  }
}

}  // namespace
}  // namespace etalon::runtime
