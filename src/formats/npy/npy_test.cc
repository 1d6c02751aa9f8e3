#include "formats/npy/npy.h"

#include <gtest/gtest.h>

#include "formats/sample_test.h"

namespace etalon::formats::npy {
namespace {

TEST(Npy, reads_what_numpy_writes) {
  const auto file = sample("f4.npy");
  const auto array = decode(file.bytes());
  ASSERT_TRUE(array.ok()) << array.error().message();
  EXPECT_EQ(array->descr, "<f4");
  EXPECT_EQ(array->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_FALSE(array->fortran_order);
  EXPECT_EQ(read_le<float>(array->data, 20), 5.0F);
}

TEST(Npy, tells_fortran_order_scalars_and_bools) {
  const auto fortran_file = sample("fortran.npy");
  const auto fortran = decode(fortran_file.bytes());
  ASSERT_TRUE(fortran.ok());
  EXPECT_TRUE(fortran->fortran_order);
  EXPECT_EQ(dtype_of_descr(fortran->descr), 4);
  const auto scalar_file = sample("scalar.npy");
  const auto scalar = decode(scalar_file.bytes());
  ASSERT_TRUE(scalar.ok());
  EXPECT_TRUE(scalar->shape.empty());
  EXPECT_EQ(scalar->data.size(), 2U);
  const auto bool_file = sample("b1.npy");
  const auto bools = decode(bool_file.bytes());
  ASSERT_TRUE(bools.ok());
  EXPECT_EQ(bools->descr, "|b1");
}

TEST(Npy, writes_the_same_bytes_as_numpy) {
  for (const char* name : {"f4.npy", "b1.npy", "scalar.npy"}) {
    const auto file = sample(name);
    const auto array = decode(file.bytes());
    ASSERT_TRUE(array.ok());
    const auto bytes = encode(array->descr, array->shape, array->data);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message();
    EXPECT_EQ(*bytes, copy_of(file.bytes())) << name;
  }
}

TEST(Npy, refuses_types_that_numpy_does_not_have) {
  const auto header = encode_header("bfloat16", {1});
  ASSERT_FALSE(header.ok());
  EXPECT_EQ(header.error().code(), ErrorCode::kUnsupported);
  EXPECT_FALSE(descr_of_dtype(15).ok());
  EXPECT_EQ(*descr_of_dtype(6), "<f4");
  EXPECT_EQ(*descr_of_dtype(11), "|b1");
  EXPECT_EQ(dtype_of_descr(">f4"), -1);
}

TEST(Npy, refuses_data_of_another_size) {
  const std::vector<std::byte> data(7);
  EXPECT_FALSE(encode("<f4", {2}, data).ok());
  EXPECT_FALSE(encode_header("<f4", {-1}).ok());
  EXPECT_FALSE(encode_header("<f8", {std::int64_t{1} << 62}).ok());
}

TEST(Npy, reads_a_version_two_header) {
  std::string dict = "{\"descr\": '<i2', 'shape': (2,), 'fortran_order': True}\n";
  std::string text =
      std::string("\x93NUMPY\x02", 7) + '\0' + static_cast<char>(dict.size()) + std::string(3, '\0');
  const auto array = decode(as_byte_span(text + dict + "abcd"));
  ASSERT_TRUE(array.ok()) << array.error().message();
  EXPECT_EQ(array->shape, std::vector<std::int64_t>{2});
  EXPECT_EQ(array->item_size, 2U);
}

TEST(Npy, refuses_every_truncation) {
  const auto file = sample("fortran.npy");
  expect_every_truncation_fails(file.bytes(), [](Bytes bytes) { return decode(bytes).ok(); });
}

TEST(Npy, survives_every_byte_flip) {
  const auto file = sample("f4.npy");
  flip_every_byte(file.bytes(), [](Bytes bytes) { (void)decode(bytes).ok(); });
}

}  // namespace
}  // namespace etalon::formats::npy
