#include <gtest/gtest.h>

#include <numeric>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

std::vector<double> iota(std::int64_t count) {
  std::vector<double> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0.0);
  return out;
}

Tensor indices(const Dims& sizes, const std::vector<double>& values) { return tensor(DType::kInt64, sizes, values); }
Tensor mask(const Dims& sizes, const std::vector<double>& values) { return tensor(DType::kBool, sizes, values); }

struct Indexed {
  Dims sizes;
  std::vector<double> values;
  friend bool operator==(const Indexed&, const Indexed&) = default;
};
void PrintTo(const Indexed& x, std::ostream* out) { *out << to_string(x.sizes) << " " << ::testing::PrintToString(x.values); }

// Null entries are None.
Indexed index(Tensor& x, std::vector<Tensor*> list) {
  std::vector<TensorView*> items;
  for (Tensor* item : list) items.push_back(item ? &item->view() : nullptr);
  auto result = call_op("aten::index.Tensor", {x.value(), Value::of_tensors(items)});
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message();
    return {};
  }
  return {result->tensors[0].sizes(), result->tensors[0].values()};
}

std::string index_error(Tensor& x, std::vector<Tensor*> list) {
  std::vector<TensorView*> items;
  for (Tensor* item : list) items.push_back(item ? &item->view() : nullptr);
  auto result = call_op("aten::index.Tensor", {x.value(), Value::of_tensors(items)});
  return result.ok() ? "" : result.error().message();
}

TEST(Index, picks_rows_and_counts_from_the_end) {
  Tensor x = tensor({3, 2}, iota(6));
  Tensor i = indices({2}, {-1, 0});
  EXPECT_EQ(index(x, {&i}), (Indexed{{2, 2}, {4, 5, 0, 1}}));
  EXPECT_EQ(index(x, {nullptr, &i}), (Indexed{{3, 2}, {1, 0, 3, 2, 5, 4}}));
}

TEST(Index, index_tensors_broadcast_together) {
  Tensor x = tensor({3, 4}, iota(12));
  Tensor rows = indices({2, 1}, {0, 2});
  Tensor columns = indices({3}, {1, 0, 3});
  EXPECT_EQ(index(x, {&rows, &columns}), (Indexed{{2, 3}, {1, 0, 3, 9, 8, 11}}));
}

TEST(Index, indexed_dims_that_are_not_adjacent_go_to_the_front) {
  Tensor x = tensor({2, 3, 2}, iota(12));
  Tensor i = indices({2}, {0, 1});
  EXPECT_EQ(index(x, {&i, nullptr, &i}), (Indexed{{2, 3}, {0, 2, 4, 7, 9, 11}}));
  Tensor j = indices({}, {1});
  EXPECT_EQ(index(x, {nullptr, &j, &i}), (Indexed{{2, 2}, {2, 3, 8, 9}}));
}

TEST(Index, masks_stand_for_their_true_places) {
  Tensor x = tensor({2, 3}, iota(6));
  Tensor whole = mask({2, 3}, {1, 0, 0, 0, 1, 1});
  Tensor columns = mask({3}, {1, 0, 1});
  Tensor one = indices({1}, {1});
  EXPECT_EQ(index(x, {&whole}), (Indexed{{3}, {0, 4, 5}}));
  EXPECT_EQ(index(x, {nullptr, &columns}), (Indexed{{2, 2}, {0, 2, 3, 5}}));
  EXPECT_EQ(index(x, {&one, &columns}), (Indexed{{2}, {3, 5}}));
  Tensor none = mask({3}, {0, 0, 0});
  EXPECT_EQ(index(x, {nullptr, &none}), (Indexed{{2, 0}, {}}));
}

TEST(Index, a_mask_with_one_true_place_broadcasts) {
  Tensor x = tensor({2, 3}, iota(6));
  Tensor row = mask({2}, {0, 1});
  Tensor columns = indices({2, 2}, {0, 1, 2, 0});
  EXPECT_EQ(index(x, {&row, &columns}), (Indexed{{2, 2}, {3, 4, 5, 3}}));
}

TEST(Index, reads_and_writes_any_dim_order) {
  Tensor x(DType::kFloat64, {2, 3, 4, 5}, {0, 2, 3, 1});
  x.set_values(iota(120));
  Tensor i = indices({2}, {2, 0});
  std::vector<TensorView*> items = {nullptr, &i.view()};
  testing::CallOptions options;
  options.out_order = DimOrder{3, 1, 0, 2};
  auto result = call_op("aten::index.Tensor", {x.value(), Value::of_tensors(items)}, options);
  ASSERT_TRUE(result.ok());
  std::vector<double> wanted;
  for (const double n : {0.0, 60.0}) {
    for (const double c : {40.0, 0.0}) {
      for (double k = 0; k < 20; ++k) wanted.push_back(n + c + k);
    }
  }
  EXPECT_EQ(result->tensors[0].values(), wanted);
}

TEST(Index, reports_the_bound_when_a_mask_is_unknown) {
  Tensor x = tensor({2, 3}, iota(6));
  TensorView unknown(DType::kBool, Dims{2, 3}, nullptr);
  std::vector<TensorView*> items = {&unknown};
  const Value self = x.value();
  const Value list = Value::of_tensors(items);
  const Value* args[] = {&self, &list};
  testing::RecordedShapes shapes;
  ASSERT_TRUE(find_op("aten::index.Tensor")->def->infer(Call(args, {}), shapes).ok());
  EXPECT_EQ(shapes.outs[0][0].sizes, (Dims{6}));
  EXPECT_EQ(find_op("aten::index.Tensor")->def->scratch(Call(args, {})), 6u * 16u);
}

TEST(Index, refuses_bad_indices) {
  Tensor x = tensor({2, 3}, iota(6));
  Tensor high = indices({1}, {2});
  Tensor low = indices({1}, {-3});
  Tensor two = indices({2}, {0, 0});
  Tensor three = indices({3}, {0, 0, 0});
  Tensor real = tensor({1}, {0});
  Tensor tall = mask({3}, {1, 1, 1});
  EXPECT_EQ(index_error(x, {&high}), "index: index 2 is out of range for dim 0 of size 2");
  EXPECT_EQ(index_error(x, {&low}), "index: index -3 is out of range for dim 0 of size 2");
  EXPECT_NE(index_error(x, {&two, &three}), "");
  EXPECT_NE(index_error(x, {&two, &two, &two}), "");
  EXPECT_NE(index_error(x, {&real}), "");
  EXPECT_NE(index_error(x, {&tall}), "");
  EXPECT_NE(index_error(x, {}), "");
}

TEST(IndexPut, writes_broadcast_values) {
  Tensor x = tensor({2, 3}, iota(6));
  Tensor columns = indices({2}, {2, 0});
  Tensor values = tensor({2, 1}, {8, 9});
  std::vector<TensorView*> items = {nullptr, &columns.view()};
  auto result = call_op("aten::index_put", {x.value(), Value::of_tensors(items), values.value(), Value::of_bool(false)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{8, 1, 8, 9, 4, 9}));
  EXPECT_EQ(x.values(), iota(6));
}

TEST(IndexPut, in_place_accumulates_over_equal_indices) {
  Tensor x = tensor({3}, {1, 1, 1});
  Tensor where = indices({3}, {0, 2, 0});
  Tensor values = tensor({3}, {1, 2, 4});
  std::vector<TensorView*> items = {&where.view()};
  auto result = call_op("aten::index_put_", {x.value(), Value::of_tensors(items), values.value(), Value::of_bool(true)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(x.values(), (std::vector<double>{6, 1, 3}));
}

TEST(IndexPut, refuses_values_that_do_not_fit) {
  Tensor x = tensor({3}, {1, 1, 1});
  Tensor where = mask({3}, {1, 0, 1});
  Tensor values = tensor({3}, {1, 2, 4});
  Tensor whole = tensor(DType::kInt64, {1}, {1});
  std::vector<TensorView*> items = {&where.view()};
  EXPECT_FALSE(call_op("aten::index_put", {x.value(), Value::of_tensors(items), values.value(), Value::of_bool(false)}).ok());
  EXPECT_FALSE(call_op("aten::index_put", {x.value(), Value::of_tensors(items), whole.value(), Value::of_bool(false)}).ok());
}

}  // namespace
}  // namespace etalon::ops
