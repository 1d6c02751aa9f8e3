#include <gtest/gtest.h>

#include "ops/op.h"
#include "ops/schema.h"

namespace etalon::ops {
extern const OpFamily kSoftsignOps;
namespace {

TEST(Softsign, gives_known_values) {
  float from[3] = {-3.0f, 0.0f, 1.0f};
  float to[3] = {};
  TensorView input(DType::kFloat32, {3}, from);
  TensorView output(DType::kFloat32, {3}, to);
  const Value self = Value::of_tensor(&input);
  Value out = Value::of_tensor(&output);
  const Value* args[] = {&self};
  Value* outs[] = {&out};
  ASSERT_TRUE(kSoftsignOps[0].kernel(Call(args, outs)).ok());
  EXPECT_FLOAT_EQ(to[0], -0.75f);
  EXPECT_FLOAT_EQ(to[1], 0.0f);
  EXPECT_FLOAT_EQ(to[2], 0.5f);
}

TEST(Softsign, refuses_integers) {
  std::int32_t data[1] = {1};
  TensorView input(DType::kInt32, {1}, data);
  const Value self = Value::of_tensor(&input);
  Value out = Value::of_tensor(&input);
  const Value* args[] = {&self};
  Value* outs[] = {&out};
  EXPECT_EQ(kSoftsignOps[0].kernel(Call(args, outs)).error().code(), ErrorCode::kUnsupported);
}

TEST(Softsign, has_a_schema_that_parses) { EXPECT_TRUE(parse_schema(kSoftsignOps[0].schema).ok()); }

}  // namespace
}  // namespace etalon::ops
