#include "ops/registry.h"

#include <gtest/gtest.h>

#include <set>

namespace etalon::ops {
namespace {

TEST(Schema, reads_types_defaults_and_keyword_only) {
  const auto schema = parse_schema(
      "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor");
  ASSERT_TRUE(schema.ok()) << schema.error().message();
  EXPECT_EQ(schema->full_name(), "aten::sum.dim_IntList");
  ASSERT_EQ(schema->args.size(), 4u);
  EXPECT_EQ(schema->args[1].type, ArgType::kIntList);
  EXPECT_TRUE(schema->args[1].optional);
  EXPECT_EQ(schema->args[1].list_length, 1);
  EXPECT_EQ(schema->args[2].default_text, "False");
  EXPECT_TRUE(schema->args[3].keyword_only);
  EXPECT_EQ(schema->returns.size(), 1u);
}

TEST(Schema, reads_lists_tuples_and_aliases) {
  const auto schema = parse_schema("aten::index(Tensor(a!) self, Tensor?[] indices, int[] d=[0, 1]) -> (Tensor x, Tensor[])");
  ASSERT_TRUE(schema.ok()) << schema.error().message();
  EXPECT_EQ(schema->args[1].type, ArgType::kOptionalTensorList);
  EXPECT_EQ(schema->args[2].default_text, "[0, 1]");
  EXPECT_EQ(schema->returns[1], ArgType::kTensorList);
}

TEST(Schema, wrong_text_is_an_error_and_not_a_crash) {
  for (const char* text : {"", "x", "a::b(", "a::b(Foo x) -> Tensor", "a::b(int) -> Tensor", "a::b() -> ", "a::b(int x", "a::b(Tensor(a"}) {
    EXPECT_FALSE(parse_schema(text).ok()) << text;
  }
}

TEST(Registry, every_row_is_complete_and_every_name_is_unique) {
  std::set<std::string> names;
  std::set<std::string> out_names;
  for (const Op& op : all_ops()) {
    EXPECT_TRUE(op.def->infer != nullptr) << op.functional_name;
    EXPECT_TRUE(op.def->kernel != nullptr) << op.functional_name;
    EXPECT_TRUE(names.insert(op.functional_name).second) << op.functional_name << " is registered twice";
    if (!op.out_name.empty()) EXPECT_TRUE(out_names.insert(op.out_name).second) << op.out_name << " is registered twice";
    EXPECT_EQ(find_op(op.functional_name), &op);
  }
}

}  // namespace
}  // namespace etalon::ops
