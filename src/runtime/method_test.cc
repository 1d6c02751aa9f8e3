#include "runtime/method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/program_testing.h"
#include "runtime/tensor.h"

namespace etalon::runtime {
namespace {

using namespace testing;  // NOLINT: the builders of this layer
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Status set(Method& method, std::size_t i, const Dims& sizes, const std::vector<float>& values) {
  auto tensor = Tensor::from_floats(sizes, values);
  if (!tensor.ok()) return tensor.take_error();
  return method.set_input(i, ops::Value::of_tensor(&tensor->view()));
}

std::vector<float> floats_of(const ops::Value& value) {
  const TensorView& view = *value.as_tensor();
  return {view.data_as<float>(), view.data_as<float>() + view.numel()};
}

std::string message(const Status& status) { return status.ok() ? "ok" : status.error().message(); }

// (a + b) * a
PlanBuilder sum_times_a() {
  PlanBuilder b;
  const auto x = b.tensor({2, 2});
  const auto y = b.tensor({2, 2});
  const auto sum = b.tensor({2, 2});
  const auto out = b.tensor({2, 2});
  b.add(x, y, sum);
  b.mul(sum, x, out);
  b.plan.inputs = {x, y};
  b.plan.outputs = {out};
  return b;
}

TEST(Method, runs_operators_in_order) {
  auto program = built(sum_times_a());
  ASSERT_TRUE(program.ok()) << program.error().message();
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  ASSERT_TRUE(set(*method, 0, {2, 2}, {1, 2, 3, 4}).ok());
  ASSERT_TRUE(set(*method, 1, {2, 2}, {10, 20, 30, 40}).ok());
  ASSERT_EQ(message(method->execute()), "ok");
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(11, 44, 99, 176));
}

TEST(Method, an_input_may_come_in_another_dim_order) {
  auto program = built(sum_times_a());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  auto transposed = Tensor::zeros(DType::kFloat32, {2, 2}, DimOrder{1, 0});
  const float memory[] = {1, 3, 2, 4};
  std::memcpy(transposed->view().data(), memory, sizeof(memory));
  ASSERT_TRUE(method->set_input(0, ops::Value::of_tensor(&transposed->view())).ok());
  ASSERT_TRUE(set(*method, 1, {2, 2}, {0, 0, 0, 0}).ok());
  ASSERT_TRUE(method->execute().ok());
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(1, 4, 9, 16));
}

TEST(Method, wrong_inputs_are_named_with_what_was_found_and_wanted) {
  auto program = built(sum_times_a());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  EXPECT_EQ(message(set(*method, 1, {2, 3}, {1, 2, 3, 4, 5, 6})), "input 1: shape is [2, 3], want [2, 2]");
  auto doubles = Tensor::zeros(DType::kFloat64, {2, 2});
  EXPECT_EQ(message(method->set_input(0, ops::Value::of_tensor(&doubles->view()))),
            "input 0: dtype is float64, want float32");
  EXPECT_THAT(message(method->set_input(2, ops::Value::of_tensor(&doubles->view()))), HasSubstr("no input 2"));
  EXPECT_THAT(message(method->set_input(0, ops::Value::of_int(3))), HasSubstr("not a tensor"));
}

TEST(Method, constants_stay_in_the_file_and_cannot_be_written) {
  PlanBuilder b;
  const auto x = b.tensor({3});
  const auto weight = b.constant({3}, 1);
  const auto out = b.tensor({3});
  b.mul(x, weight, out);
  b.plan.inputs = {x};
  b.plan.outputs = {out};
  pte::ProgramToWrite source;
  source.constants.push_back(floats({2, 3, 4}));
  source.plans.push_back(b.plan);
  auto program = built(source);
  ASSERT_TRUE(program.ok()) << program.error().message();
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  ASSERT_TRUE(set(*method, 0, {3}, {1, 1, 2}).ok());
  ASSERT_TRUE(method->execute().ok());
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(2, 3, 8));

  b.mul(x, x, weight);
  source.plans = {b.plan};
  auto hostile = built(source);
  ASSERT_TRUE(hostile.ok());
  const auto refused = Method::load(*hostile->program, "forward");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("over a constant"));
}

TEST(Method, a_constant_that_a_move_brings_under_an_output_is_refused) {
  PlanBuilder b;
  const auto x = b.tensor({3});
  const auto weight = b.constant({3}, 1);
  const auto step = b.tensor({3});
  const auto out = b.tensor({3});
  b.instruction(pte::MoveCall{weight, step});
  b.instruction(pte::MoveCall{step, out});
  b.mul(x, x, out);
  pte::ProgramToWrite source;
  source.constants.push_back(floats({2, 3, 4}));
  source.plans = {b.plan};
  auto program = built(source);
  ASSERT_TRUE(program.ok());
  const auto refused = Method::load(*program->program, "forward");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("over a constant"));
}

TEST(Method, a_view_in_the_same_memory_sees_what_was_written) {
  PlanBuilder b;
  const auto x = b.tensor({4});
  const auto doubled = b.tensor({4});
  const auto square = b.alias(doubled, {2, 2});
  const auto out = b.tensor({2, 2});
  b.add(x, x, doubled);
  b.add(square, square, out);
  b.plan.inputs = {x};
  b.plan.outputs = {out};
  auto program = built(b);
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  ASSERT_TRUE(set(*method, 0, {4}, {1, 2, 3, 4}).ok());
  ASSERT_TRUE(method->execute().ok());
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(4, 8, 12, 16));
  EXPECT_EQ(method->output(0).as_tensor()->sizes(), (Dims{2, 2}));
}

TEST(Method, a_view_of_a_changing_shape_shares_memory) {
  PlanBuilder b;
  const auto x = b.dynamic({4, 2});
  const auto view = b.dynamic({8});
  const auto out = b.dynamic({8});
  b.kernel("executorch_prim::et_view", "default", {x, b.ints({-1}), view});
  b.add(view, view, out);
  b.plan.inputs = {x};
  b.plan.outputs = {out, view};
  auto program = built(b);
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  ASSERT_TRUE(set(*method, 0, {2, 2}, {1, 2, 3, 4}).ok());
  ASSERT_EQ(message(method->execute()), "ok");
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(2, 4, 6, 8));
  EXPECT_EQ(method->output(1).as_tensor()->data(), method->input(0).as_tensor()->data());
}

TEST(Method, dynamic_shapes_change_from_run_to_run_within_their_bound) {
  PlanBuilder b;
  const auto x = b.dynamic({4, 2});
  const auto y = b.dynamic({4, 2});
  b.add(x, x, y);
  b.plan.inputs = {x};
  b.plan.outputs = {y};
  auto program = built(b);
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  for (const std::int64_t rows : {3, 1, 4, 0, 2}) {
    ASSERT_TRUE(set(*method, 0, {rows, 2}, std::vector<float>(static_cast<std::size_t>(rows) * 2, 1.5F)).ok());
    ASSERT_EQ(message(method->execute()), "ok");
    EXPECT_EQ(method->output(0).as_tensor()->sizes(), (Dims{rows, 2}));
    EXPECT_EQ(floats_of(method->output(0)), std::vector<float>(static_cast<std::size_t>(rows) * 2, 3.0F));
  }
  EXPECT_EQ(method->input_bound(0), (Dims{4, 2}));
  EXPECT_THAT(message(set(*method, 0, {5, 2}, std::vector<float>(10))), HasSubstr("does not fit"));
}

// if (c) out = x + x else out = x * x
PlanBuilder branches(bool tensor_condition) {
  PlanBuilder b;
  const auto x = b.tensor({2});
  const auto condition = tensor_condition ? b.tensor({2}, 11) : b.boolean(false);
  const auto one = b.tensor({2});
  const auto other = b.tensor({2});
  const auto out = b.tensor({2});
  const auto never = b.boolean(false);
  b.instruction(pte::JumpFalseCall{condition, 4});
  b.add(x, x, one);
  b.instruction(pte::MoveCall{one, out});
  b.instruction(pte::JumpFalseCall{never, 6});
  b.mul(x, x, other);
  b.instruction(pte::MoveCall{other, out});
  b.instruction(pte::FreeCall{one});
  b.plan.inputs = {x, condition};
  b.plan.outputs = {out};
  return b;
}

TEST(Method, jumps_on_a_false_number) {
  auto program = built(branches(false));
  ASSERT_TRUE(program.ok()) << program.error().message();
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  ASSERT_TRUE(set(*method, 0, {2}, {3, 4}).ok());
  ASSERT_TRUE(method->execute().ok());
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(9, 16));
}

TEST(Method, jumps_when_any_element_of_the_condition_is_false) {
  auto program = built(branches(true));
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  for (const bool second : {true, false}) {
    auto condition = Tensor::zeros(DType::kBool, {2});
    condition->elements<std::uint8_t>()[0] = 1;
    condition->elements<std::uint8_t>()[1] = second ? 1 : 0;
    ASSERT_TRUE(method->set_input(1, ops::Value::of_tensor(&condition->view())).ok());
    ASSERT_TRUE(set(*method, 0, {2}, {3, 4}).ok());
    ASSERT_TRUE(method->execute().ok());
    EXPECT_EQ(floats_of(method->output(0))[0], second ? 6 : 9);
  }
}

TEST(Method, an_endless_loop_ends_with_an_error) {
  PlanBuilder b;
  const auto never = b.boolean(false);
  b.instruction(pte::JumpFalseCall{never, 0});
  auto program = built(b);
  ASSERT_TRUE(program.ok());
  MethodOptions options;
  options.max_instructions = 1000;
  auto method = Method::load(*program->program, "forward", options);
  ASSERT_TRUE(method.ok());
  EXPECT_THAT(message(method->execute()), HasSubstr("more than 1000 instructions"));
}

TEST(Method, mutable_state_starts_from_its_stored_bytes_and_is_kept) {
  PlanBuilder b;
  const auto x = b.tensor({2});
  pte::Tensor state = PlanBuilder::shape({2});
  state.data_buffer_idx = 1;
  const auto sum = b.planned(state);
  b.add(sum, x, sum);
  b.plan.inputs = {x};
  b.plan.outputs = {sum};
  pte::ProgramToWrite source;
  source.mutable_data.push_back(floats({100, 200}));
  source.plans.push_back(b.plan);
  auto program = built(source);
  ASSERT_TRUE(program.ok()) << program.error().message();
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE(set(*method, 0, {2}, {1, 2}).ok());
    ASSERT_TRUE(method->execute().ok());
  }
  EXPECT_THAT(floats_of(method->output(0)), ElementsAre(103, 206));
  auto fresh = Method::load(*program->program, "forward");
  ASSERT_TRUE(set(*fresh, 0, {2}, {1, 2}).ok());
  ASSERT_TRUE(fresh->execute().ok());
  EXPECT_THAT(floats_of(fresh->output(0)), ElementsAre(101, 202));
}

TEST(Method, several_methods_have_memory_of_their_own) {
  PlanBuilder first("add");
  PlanBuilder second("square");
  for (PlanBuilder* b : {&first, &second}) {
    const auto x = b->tensor({2});
    const auto out = b->tensor({2});
    b == &first ? b->add(x, x, out) : b->mul(x, x, out);
    b->plan.inputs = {x};
    b->plan.outputs = {out};
  }
  pte::ProgramToWrite source;
  source.plans = {first.plan, second.plan};
  auto program = built(source);
  ASSERT_TRUE(program.ok());
  EXPECT_THAT(program->program->method_names(), ElementsAre("add", "square"));
  auto add = Method::load(*program->program, "add");
  auto square = Method::load(*program->program, "square");
  ASSERT_TRUE(add.ok() && square.ok());
  ASSERT_TRUE(set(*add, 0, {2}, {3, 5}).ok());
  ASSERT_TRUE(set(*square, 0, {2}, {3, 5}).ok());
  ASSERT_TRUE(add->execute().ok());
  ASSERT_TRUE(square->execute().ok());
  EXPECT_THAT(floats_of(add->output(0)), ElementsAre(6, 10));
  EXPECT_THAT(floats_of(square->output(0)), ElementsAre(9, 25));
  const auto missing = Method::load(*program->program, "train");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message(), "method train: the program has no method 'train', it has add, square");
}

TEST(Method, all_missing_operators_are_named_at_once) {
  PlanBuilder b;
  const auto x = b.tensor({2});
  b.kernel("my::first", "out", {x, x});
  b.kernel("my::second", "", {x});
  auto program = built(b);
  ASSERT_TRUE(program.ok());
  const auto refused = Method::load(*program->program, "forward");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("2 operators are not available: my::first.out, my::second"));
}

TEST(Method, inputs_that_are_numbers_must_be_the_stored_ones) {
  PlanBuilder b;
  b.plan.inputs = {b.integer(7), b.real(0.5), b.boolean(true)};
  b.plan.outputs = {b.plan.inputs[0]};
  auto program = built(b);
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  EXPECT_TRUE(method->set_input(0, ops::Value::of_int(7)).ok());
  EXPECT_FALSE(method->set_input(0, ops::Value::of_int(8)).ok());
  EXPECT_TRUE(method->set_input(1, ops::Value::of_double(0.50009)).ok());
  EXPECT_FALSE(method->set_input(1, ops::Value::of_double(0.6)).ok());
  EXPECT_FALSE(method->set_input(2, ops::Value::of_bool(false)).ok());
  EXPECT_EQ(method->output(0).as_int(), 7);
}

}  // namespace
}  // namespace etalon::runtime
