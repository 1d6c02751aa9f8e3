#include "frontend/pt2/symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::frontend {
namespace {

namespace pt2 = formats::pt2;
using testing::HasSubstr;

Result<double> with_s0_10(std::string_view text) {
  return evaluate_expression(text, [](std::string_view name) -> Result<double> {
    if (name == "s0") return 10.0;
    return not_found(std::string(name));
  });
}

TEST(SizeExpression, evaluates_what_sympy_writes) {
  const std::pair<const char*, double> cases[] = {
      {"Integer(3)", 3},
      {"Symbol('s0', positive=True, integer=True)", 10},
      {"Symbol('s0')", 10},
      {"Add(Mul(Integer(2), Symbol('s0', integer=True)), Integer(-1))", 19},
      {"Pow(Symbol('s0', integer=True), Integer(2))", 100},
      {"FloorDiv(Symbol('s0', integer=True), Integer(3))", 3},
      {"torch.utils._sympy.functions.FloorDiv(Symbol('s0', integer=True), Integer(3))", 3},
      {"CeilDiv(Symbol('s0', integer=True), Integer(3))", 4},
      {"Mod(Symbol('s0', integer=True), Integer(4))", 2},
      {"PythonMod(Integer(-1), Integer(4))", 3},
      {"Max(Integer(1), Min(Symbol('s0', integer=True), Integer(7)))", 7},
      {"floor(Mul(Rational(1, 4), Symbol('s0', integer=True)))", 2},
      {"ceiling(IntTrueDiv(Symbol('s0', integer=True), Integer(4)))", 3},
      {"TruncToInt(Float('2.75', precision=53))", 2},
      {"ModularIndexing(Symbol('s0', integer=True), Integer(3), Integer(2))", 1},
      {"-4", -4},
  };
  for (const auto& [text, want] : cases) {
    const auto value = with_s0_10(text);
    ASSERT_TRUE(value.ok()) << text << ": " << value.error().message();
    EXPECT_DOUBLE_EQ(*value, want) << text;
  }
}

TEST(SizeExpression, refuses_what_is_none) {
  for (const char* text : {"", "Add(", "Add(1,", "Symbol('s0'", "Symbol(s0)", "Integer(2))", "FloorDiv(1)",
                           "Mod(Integer(1), Integer(0))", "os.system('x')", "Float('x')", "1 2"}) {
    EXPECT_FALSE(with_s0_10(text).ok()) << text;
  }
  EXPECT_EQ(with_s0_10("gamma(Integer(1))").error().code(), ErrorCode::kUnsupported);
}

TEST(SizeExpression, survives_deep_nesting) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "Add(";
  EXPECT_FALSE(with_s0_10(text).ok());
}

pt2::ExportedProgram program_with_batch(std::optional<std::int64_t> max, std::int64_t hint) {
  pt2::ExportedProgram program;
  program.range_constraints["s7"] = {1, max};
  pt2::TensorMeta meta;
  pt2::SymInt batch;
  batch.expr = "Symbol('s7', positive=True, integer=True)";
  batch.hint = hint;
  meta.sizes = {batch, pt2::SymInt{4, {}, {}}};
  program.graph.tensor_values["x"] = meta;
  pt2::InputSpec spec;
  spec.arg.value = pt2::TensorArg{"x"};
  program.input_specs.push_back(spec);
  return program;
}

pt2::SymInt twice() {
  pt2::SymInt size;
  size.expr = "Mul(Integer(2), Symbol('s7', positive=True, integer=True))";
  return size;
}

TEST(Symbols, take_the_upper_bound_and_the_size_of_the_export) {
  const auto pair = Symbols::of(program_with_batch(8, 3)).evaluate(twice());
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair->max, 16);
  EXPECT_EQ(pair->probe, 6);
}

TEST(Symbols, probe_another_size_when_the_export_had_the_largest) {
  const auto pair = Symbols::of(program_with_batch(8, 8)).evaluate(twice());
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair->max, 16);
  EXPECT_EQ(pair->probe, 14);
}

TEST(Symbols, without_a_bound_name_the_input_and_the_remedy) {
  for (const std::optional<std::int64_t> max :
       {std::optional<std::int64_t>{}, std::optional<std::int64_t>{INT64_MAX - 1}}) {
    const auto pair = Symbols::of(program_with_batch(max, 3)).evaluate(twice());
    ASSERT_FALSE(pair.ok());
    EXPECT_EQ(pair.error().code(), ErrorCode::kUnsupported);
    EXPECT_THAT(pair.error().message(), HasSubstr("dim 0 of input 'x' has no upper bound"));
    EXPECT_THAT(pair.error().message(), HasSubstr("torch.export.Dim"));
  }
}

}  // namespace
}  // namespace etalon::frontend
