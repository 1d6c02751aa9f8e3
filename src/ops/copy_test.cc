#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using ::testing::ElementsAre;
using testing::tensor;
using testing::Tensor;

Tensor run(std::string_view name, std::vector<Value> args, const testing::CallOptions& options = {}) {
  auto result = call_op(name, std::move(args), options);
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return std::move(result->tensors[0]);
}

const DimOrder kLast{0, 2, 3, 1};
const std::vector<double> kEight = {1, 2, 3, 4, 5, 6, 7, 8};

TEST(Copy, clone_keeps_or_changes_the_memory_format) {
  Tensor x = testing::channels_last({1, 2, 2, 2}, kEight);
  EXPECT_EQ(run("aten::clone", {x.value()}).view().order(), kLast);
  const Tensor plain = run("aten::clone", {x.value(), Value::of_int(0)});
  EXPECT_TRUE(plain.view().is_contiguous());
  EXPECT_EQ(plain.values(), kEight);
  Tensor flat = tensor({8}, kEight);
  EXPECT_FALSE(call_op("aten::clone", {flat.value(), Value::of_int(2)}).ok());
}

TEST(Copy, dim_order_copies_convert_and_reorder) {
  Tensor x = tensor({1, 2, 2, 2}, kEight);
  const std::int64_t order[] = {0, 2, 3, 1};
  const std::int64_t twice[] = {0, 2, 2, 1};
  std::vector<Value> args(7);
  args[0] = x.value();
  args[1] = Value::of_int(static_cast<std::int64_t>(DType::kInt32));
  args[5] = Value::of_bool(false);
  args[6] = Value::of_ints(order);
  const Tensor y = run("dim_order_ops::_to_dim_order_copy", args);
  EXPECT_EQ(y.dtype(), DType::kInt32);
  EXPECT_EQ(y.view().order(), kLast);
  EXPECT_EQ(y.values(), kEight);
  args[6] = Value::of_ints(twice);
  EXPECT_FALSE(call_op("dim_order_ops::_to_dim_order_copy", args).ok());
  EXPECT_EQ(run("dim_order_ops::_clone_dim_order", {x.value(), Value::of_bool(false), Value::of_ints(order)})
                .view()
                .order(),
            kLast);
}

TEST(Copy, to_copy_takes_the_dtype_of_the_output_when_its_own_was_dropped) {
  Tensor x = tensor({2}, {1.75, -2});
  std::vector<Value> args(7);
  args[0] = x.value();
  args[5] = Value::of_bool(false);
  EXPECT_THAT(run("aten::_to_copy", args, {.out_dtype = DType::kInt8}).values(), ElementsAre(1, -2));
}

TEST(Copy, copy_broadcasts_the_source_and_keeps_the_dtype) {
  Tensor self = tensor(DType::kInt32, {2, 2}, {0, 0, 0, 0});
  Tensor src = tensor({2}, {1.5, 2.5});
  const Tensor y = run("aten::copy", {self.value(), src.value(), Value::of_bool(false)});
  EXPECT_EQ(y.dtype(), DType::kInt32);
  EXPECT_THAT(y.values(), ElementsAre(1, 2, 1, 2));
  Tensor wide = tensor({3}, {1, 2, 3});
  EXPECT_FALSE(call_op("aten::copy", {self.value(), wide.value(), Value::of_bool(false)}).ok());
  EXPECT_FALSE(call_op("aten::copy", {src.value(), self.value(), Value::of_bool(false)}).ok());
}

TEST(Copy, copy_in_place_writes_its_first_argument) {
  Tensor self = tensor({2, 2}, {0, 0, 0, 0});
  Tensor src = tensor(DType::kInt64, {2}, {1, 2});
  ASSERT_TRUE(call_op("aten::copy_", {self.value(), src.value(), Value::of_bool(false)}).ok());
  EXPECT_THAT(self.values(), ElementsAre(1, 2, 1, 2));
}

}  // namespace
}  // namespace etalon::ops
