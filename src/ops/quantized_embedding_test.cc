#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Numbers = std::vector<double>;

struct Table {
  Tensor weight, scales;
  std::optional<Tensor> zeros;
  std::int64_t low, high;
};

Result<CallResult> look_up(std::string_view name, Table& t, Tensor& indices, Value dtype = {},
                           const CallOptions& options = {}) {
  std::vector<Value> args{t.weight.value(),     t.scales.value(),      t.zeros ? t.zeros->value() : Value(),
                          Value::of_int(t.low), Value::of_int(t.high), indices.value()};
  if (!dtype.is(Value::Tag::kNone)) args.push_back(dtype);
  return call_op("quantized_decomposed::" + std::string(name), args, options);
}

std::string message(const Result<CallResult>& result) { return result.ok() ? "" : result.error().message(); }

TEST(QuantizedEmbedding, byte_rows_have_a_scale_and_a_zero_point_each) {
  Table t{tensor(DType::kInt8, {3, 2}, {-128, 127, 0, 4, 10, -10}), tensor({3}, {0.5, 2, 1}),
          tensor({3}, {0, 1, -2}), -128, 127};
  Tensor indices = tensor(DType::kInt64, {2, 2}, {2, 0, 1, 1});
  auto out = look_up("embedding_byte", t, indices);
  ASSERT_TRUE(out.ok()) << message(out);
  EXPECT_EQ(out->tensors[0].sizes(), (Dims{2, 2, 2}));
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(12, -8, -64, 63.5, -2, 6, -2, 6));
  // The result may lie in any order in memory.
  EXPECT_EQ(look_up("embedding_byte", t, indices, {}, {.out_order = DimOrder{2, 0, 1}})->tensors[0].values(),
            out->tensors[0].values());
}

TEST(QuantizedEmbedding, bytes_may_be_unsigned_and_rows_grouped) {
  Table t{tensor(DType::kUInt8, {2, 4}, {255, 1, 2, 3, 4, 5, 6, 7}), tensor({2, 2}, {1, 10, 0.5, 2}),
          std::nullopt, 0, 255};
  Tensor indices = tensor(DType::kInt32, {2}, {0, 1});
  EXPECT_THAT(look_up("embedding_byte", t, indices)->tensors[0].values(),
              ElementsAre(255, 1, 20, 30, 2, 2.5, 12, 14));
}

// As the packing writes them: 4 bits first number high, 2 bits first number low, both above zero.
TEST(QuantizedEmbedding, unpacks_narrow_numbers_in_their_order) {
  Tensor indices = tensor(DType::kInt64, {1}, {0});
  Table four{tensor(DType::kUInt8, {1, 2}, {0x0F, 0x8A}), tensor({1}, {1}), std::nullopt, -8, 7};
  EXPECT_THAT(look_up("embedding_4bit", four, indices)->tensors[0].values(), ElementsAre(-8, 7, 0, 2));
  Table two{tensor(DType::kUInt8, {1, 1}, {0b11100100}), tensor({1, 2}, {1, 3}), tensor({1, 2}, {0, 1}), -2,
            1};
  EXPECT_THAT(look_up("embedding_2bit", two, indices)->tensors[0].values(), ElementsAre(-2, -1, -3, 0));
}

TEST(QuantizedEmbedding, the_result_has_the_scales_dtype_or_the_one_asked_for) {
  Table t{tensor(DType::kInt8, {1, 2}, {3, 4}), tensor(DType::kFloat16, {1}, {0.5}), std::nullopt, -128, 127};
  Tensor indices = tensor(DType::kInt64, {1}, {0});
  EXPECT_EQ(look_up("embedding_byte", t, indices)->tensors[0].dtype(), DType::kFloat16);
  constexpr std::int64_t kFloat32Number = 6;  // c10's
  auto wide = look_up("embedding_byte.dtype", t, indices, Value::of_int(kFloat32Number));
  ASSERT_TRUE(wide.ok()) << message(wide);
  EXPECT_EQ(wide->tensors[0].dtype(), DType::kFloat32);
  EXPECT_THAT(wide->tensors[0].values(), ElementsAre(1.5, 2));
}

TEST(QuantizedEmbedding, refuses_what_does_not_fit) {
  Tensor indices = tensor(DType::kInt64, {1}, {0}), beyond = tensor(DType::kInt64, {1}, {1});
  Tensor negative = tensor(DType::kInt64, {1}, {-1});
  const auto table = [](DType dtype, const Dims& scales) {
    return Table{tensor(dtype, {1, 4}, {1, 2, 3, 4}),
                 tensor(scales, Numbers(static_cast<std::size_t>(numel(scales)), 1)), std::nullopt, -8, 7};
  };
  Table good = table(DType::kUInt8, {1}), groups = table(DType::kUInt8, {1, 3}),
        rows = table(DType::kUInt8, {2});
  Table floats = table(DType::kFloat32, {1}), none = table(DType::kUInt8, {1, 0});
  EXPECT_EQ(message(look_up("embedding_4bit", good, indices)), "");
  EXPECT_THAT(message(look_up("embedding_4bit", good, beyond)), HasSubstr("index 1 is out of range"));
  EXPECT_THAT(message(look_up("embedding_4bit", good, negative)), HasSubstr("index -1 is out of range"));
  EXPECT_THAT(message(look_up("embedding_2bit", good, indices)), HasSubstr("are -8 and 7, want -2 and 1"));
  EXPECT_THAT(message(look_up("embedding_4bit", groups, indices)), HasSubstr("groups that divide 8"));
  EXPECT_THAT(message(look_up("embedding_4bit", none, indices)), HasSubstr("groups that divide 8"));
  EXPECT_THAT(message(look_up("embedding_4bit", rows, indices)), HasSubstr("want 1 rows"));
  EXPECT_THAT(message(look_up("embedding_byte", floats, indices)),
              HasSubstr("want a matrix of int8 or uint8"));
}

}  // namespace
}  // namespace etalon::ops::testing
